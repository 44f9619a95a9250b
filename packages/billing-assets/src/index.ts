/**
 * A subscription billing warehouse: which events happened, who the customers were, what was earned, what recurs.
 */
export * as BillingEvent from "./BillingEvent.ts"
export * as BillingFeed from "./BillingFeed.ts"
export * as BillingGraph from "./BillingGraph.ts"
export * as BillingRetry from "./BillingRetry.ts"
export * as bronzeEvents from "./bronzeEvents.ts"
export * as CustomerAttributes from "./CustomerAttributes.ts"
export * as dimCustomer from "./dimCustomer.ts"
export * as EventType from "./EventType.ts"
export * as goldRevenue from "./goldRevenue.ts"
export * as martMrrMonthly from "./martMrrMonthly.ts"
export * as martRevenueMonthly from "./martRevenueMonthly.ts"
export * as Money from "./Money.ts"
export * as RevenueMeasures from "./RevenueMeasures.ts"
export * as silverEvents from "./silverEvents.ts"
export * as Timestamp from "./Timestamp.ts"
