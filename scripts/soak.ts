/**
 * Random histories for as long as one likes: `pnpm soak --help` says how.
 */
import { billing } from "../packages/billing-assets/test/oracle/BillingSubject.ts"
import { shop } from "../packages/core/test/oracle/ShopSubject.ts"
import * as Soak from "../packages/core/test/oracle/Soak.ts"
import * as Trial from "../packages/core/test/oracle/Trial.ts"

Soak.main([Trial.make(billing), Trial.make(shop)])
