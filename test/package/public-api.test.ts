import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

const dist = fileURLToPath(new URL('../../dist/', import.meta.url))
const require = createRequire(import.meta.url)

// A name in these lists is a promise. What is added here also belongs into the README and the CHANGELOG.
const PURE = {
  values: [
    'CustomAttributesError',
    'ERROR_CATALOGUE',
    'STANDARD_COLUMNS',
    'checkAudience',
    'checkTemplate',
    'compileTemplate',
    'inspectColumns',
    'inspectTemplate',
    'isCustomAttributesError',
    'mapColumns',
    'parseRow',
    'defineFields',
    'STANDARD_FIELDS',
    'rejectedRowsCsv',
    'renderTemplate',
  ],
  types: [
    'Audience',
    'AudienceCheckOptions',
    'AudienceComparison',
    'AudienceCondition',
    'AudienceMoment',
    'AudienceNumber',
    'AudienceProblem',
    'AudienceValue',
    'AudienceWhere',
    'ColumnMapping',
    'Comparison',
    'ComparisonOperator',
    'FilterCall',
    'Field',
    'FieldCatalogue',
    'FieldDefinition',
    'Severity',
    'TemplateFilter',
    'ColumnOptions',
    'ColumnReason',
    'ColumnSuggestion',
    'ColumnTarget',
    'ColumnWarning',
    'ErrorCode',
    'ErrorDetails',
    'ExtraTags',
    'FieldSuggestion',
    'IgnoredReason',
    'MappedColumn',
    'ParsedRow',
    'Problem',
    'RejectedRow',
    'RejectedRowsCsvOptions',
    'CellOptions',
    'RowOptions',
    'StandardColumn',
    'TemplateFormat',
    'TemplateOptions',
    'TemplatePlace',
    'TemplateProblem',
    'TemplateProblemCode',
    'TemplateReport',
    'TemplateTag',
    'TemplateTagKind',
  ],
}

const INDEX = {
  values: [...PURE.values, 'createCustomAttributesStore', 'createUnsubscribeTokens', 'readMigrations'],
  types: [
    ...PURE.types,
    'AccountId',
    'AudiencePart',
    'CountOptions',
    'CustomerCount',
    'FindOptions',
    'FoundCustomers',
    'Content',
    'CsvInput',
    'CsvOptions',
    'AddressInput',
    'AttributeChangeOptions',
    'AttributeDescription',
    'AttributeKind',
    'DescribeOptions',
    'PruneOptions',
    'PruneResult',
    'RemoveOptions',
    'RemoveResult',
    'RenameOptions',
    'RenameResult',
    'EraseOptions',
    'EraseResult',
    'HistoryOptions',
    'ListSuppressionsOptions',
    'ListUploadsOptions',
    'OptOutValue',
    'OptOutWarning',
    'OptOuts',
    'OptedOutOption',
    'PruneUploadsOptions',
    'UndoOptions',
    'UndoResult',
    'UploadRecord',
    'UploadWithRows',
    'CsvPreview',
    'CsvStream',
    'ExportOptions',
    'CsvWarning',
    'CustomAttributesStore',
    'Customer',
    'CustomerInput',
    'CustomerValue',
    'DateFormat',
    'NumberFormat',
    'Delimiter',
    'LiveValues',
    'SchemaProblem',
    'SuppressOptions',
    'SuppressResult',
    'Suppression',
    'TableNames',
    'Encoding',
    'ExtraTagsOption',
    'MailMergeOptions',
    'MailMergeProgress',
    'MailMergeResult',
    'MergeTags',
    'Message',
    'MessageParts',
    'Migration',
    'MigrationOptions',
    'PageOptions',
    'PlacedRow',
    'PreflightOptions',
    'PreflightReport',
    'PreviewColumn',
    'PreviewOptions',
    'RowCells',
    'RowCheckOptions',
    'RowObjection',
    'RowPlace',
    'RowVerdict',
    'RowsInput',
    'SqlClient',
    'StoreOptions',
    'UnsubscribeTokenOptions',
    'UnsubscribeTokens',
    'UploadCounts',
    'UploadOptions',
    'UploadProgress',
    'UploadResult',
    'UploadRowsOptions',
    'UpsertOptions',
    'UpsertResult',
  ],
}

const HTTP = { values: ['createHttpHandler'], types: ['HttpAction', 'HttpHandlerOptions', 'HttpRoute'] }

const declarations = ['.d.ts', '.d.cts'].flatMap((ending) =>
  ['index', 'pure', 'http'].map((file) => `${dist}${file}${ending}`),
)
let program: ts.Program | undefined

/** All names that a declaration file exports, types included. */
function declaredNames(file: string): string[] {
  // Names alone are asked for: no type of the language or of a package has to be read for them.
  program ??= ts.createProgram(declarations, { module: ts.ModuleKind.NodeNext, noLib: true, types: [] })
  const checker = program.getTypeChecker()
  const source = checker.getSymbolAtLocation(program.getSourceFile(file)!)!
  return checker.getExportsOfModule(source).map(({ name }) => name)
}

describe.each([
  ['postgres-custom-attributes', 'index', INDEX],
  ['postgres-custom-attributes/pure', 'pure', PURE],
  ['postgres-custom-attributes/http', 'http', HTTP],
])('%s', (name, file, { values, types }) => {
  it('exports these names and no others, from ESM and from CommonJS', async () => {
    expect(Object.keys(await import(/* @vite-ignore */ name)).sort()).toEqual([...values].sort())
    expect(Object.keys(require(name)).sort()).toEqual([...values].sort())
  })

  it.each(['.d.ts', '.d.cts'])('declares these types in %s', (ending) => {
    expect(declaredNames(`${dist}${file}${ending}`).sort()).toEqual([...values, ...types].sort())
  })
})
