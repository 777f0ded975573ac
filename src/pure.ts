export type {
  Audience,
  AudienceComparison,
  AudienceCondition,
  AudienceMoment,
  AudienceNumber,
  AudienceValue,
  AudienceWhere,
} from './audience/audience.js'
export { type AudienceCheckOptions, type AudienceProblem, checkAudience } from './audience/conditions.js'
export type {
  ColumnMapping,
  ColumnOptions,
  ColumnReason,
  ColumnTarget,
  ColumnWarning,
  IgnoredReason,
  MappedColumn,
} from './column-targets.js'
export { type ColumnSuggestion, inspectColumns, mapColumns } from './columns.js'
export {
  CustomAttributesError,
  ERROR_CATALOGUE,
  type ErrorCode,
  type ErrorDetails,
  isCustomAttributesError,
  type Problem,
} from './errors.js'
export type { FieldSuggestion } from './field-suggestions.js'
export { defineFields, type Field, type FieldCatalogue, type FieldDefinition, STANDARD_FIELDS } from './fields.js'
export { STANDARD_COLUMNS, type StandardColumn } from './names.js'
export { type RejectedRow, type RejectedRowsCsvOptions, rejectedRowsCsv } from './rejected-rows.js'
export { type CellOptions, type ParsedRow, parseRow, type RowOptions } from './rows.js'
export type { Comparison, ComparisonOperator, FilterCall } from './template/expression.js'
export type { TemplateFilter } from './template/filters.js'
export { checkTemplate, inspectTemplate, type TemplateReport } from './template/inspect.js'
export type { Severity, TemplatePlace, TemplateProblem, TemplateProblemCode } from './template/problems.js'
export { compileTemplate, renderTemplate } from './template/render.js'
export type { TemplateTag, TemplateTagKind } from './template/tags.js'
export type { ExtraTags, TemplateFormat, TemplateOptions } from './template/template-options.js'
