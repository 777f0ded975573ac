import { compileTemplate } from '../template/render.js'
import type { TemplateOptions } from '../template/template-options.js'

/**
 * Renders a template for the customers with these emails.
 *
 * @param findCustomers - looks up customers by emails as given
 */
export async function renderForCustomers(
  template: string,
  emails: readonly string[],
  options: TemplateOptions | undefined,
  findCustomers: (emails: readonly string[]) => Promise<Map<string, object | null>>,
): Promise<Map<string, string | null>> {
  // Compiled before anything is read: a template's problem is not worth a round trip.
  const render = compileTemplate(template, options)
  const messages = new Map<string, string | null>()
  for (const [email, customer] of await findCustomers(emails)) {
    messages.set(email, customer === null ? null : render(customer))
  }
  return messages
}
