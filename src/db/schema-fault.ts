/** Something that the schema lacks, and what mends it. */
export interface SchemaFault {
  message: string
  details: Readonly<Record<string, unknown>>
  /** SQL that mends it; absent where there is more than one way, or it is not for SQL to mend */
  sql?: string
  /** the migration, counted from 0, whose `up` mends it */
  migration?: 0 | 1
}
