import { type CompiledTemplate, compile } from './compile.js'
import { checkTemplateText, type ExtraTags, resolveTemplateOptions, type TemplateOptions } from './template-options.js'

/**
 * Renders a template for one customer. For more than one, use {@link compileTemplate}.
 *
 * @param template - Mustache text with merge tags such as `{{first_name | default: "there"}}`; at most 256 KiB
 * @param customer - a row of the customer table: standard fields under their database names, and `custom_attributes`;
 *   or what `parseRow` returns. Nothing else of the row can be reached.
 * @param options - see {@link TemplateOptions}
 * @returns the message, in the `format` of the template
 * @throws CustomAttributesError the first problem that `inspectTemplate` finds, `INVALID_CUSTOMER`, `INVALID_OPTION`;
 *   under `missing: 'error'` also `MISSING_VALUE` with `details.tags`
 */
export function renderTemplate(template: string, customer: object, options?: TemplateOptions): string {
  return compileFor('renderTemplate', template, options).render(customer)
}

/**
 * Compiles a template once for any number of customers. Nothing is kept but the function that is returned.
 *
 * @param template - Mustache text; see {@link renderTemplate}
 * @param options - see {@link TemplateOptions}
 * @returns a function that renders the template for a customer; the extra tags of a call come before those of the
 *   options. It throws what {@link renderTemplate} throws of a customer.
 * @throws CustomAttributesError the first problem that `inspectTemplate` finds, or `INVALID_OPTION`
 */
export function compileTemplate(
  template: string,
  options?: TemplateOptions,
): (customer: object, extraTags?: ExtraTags) => string {
  return compileFor('compileTemplate', template, options).render
}

function compileFor(where: string, template: string, options: TemplateOptions | undefined): CompiledTemplate {
  checkTemplateText(where, template)
  return compile(template, resolveTemplateOptions(where, options))
}
