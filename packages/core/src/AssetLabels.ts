/**
 * What people call an asset besides its name, to find it and to know whom to ask. Labels decide nothing: an asset with
 * other labels is computed as before.
 *
 * @since 0.1.0
 */

/**
 * The labels of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface AssetLabels {
  /** Names with values; a name alone has the empty value. */
  readonly tags: { readonly [name: string]: string }
  /** The part of the business or of the graph that it belongs to. */
  readonly group: string | undefined
  /** Bronze, silver or gold. */
  readonly tier: string | undefined
  readonly owners: ReadonlyArray<string>
  /** What it is made with, such as `stripe` or `dbt`. */
  readonly kinds: ReadonlyArray<string>
}

/**
 * Labels from those that are given.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (labels: Partial<AssetLabels> = {}): AssetLabels => ({
  tags: {},
  group: undefined,
  tier: undefined,
  owners: [],
  kinds: [],
  ...labels
})
