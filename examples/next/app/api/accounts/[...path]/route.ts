/** The HTTP API in a Next.js application: this file is `app/api/accounts/[...path]/route.ts` there. */
import postgres from 'postgres'
import { createCustomAttributesStore } from 'postgres-custom-attributes'
import { createHttpHandler } from 'postgres-custom-attributes/http'

const { DATABASE_URL, API_TOKEN } = process.env
if (!DATABASE_URL || !API_TOKEN) throw new Error('Set DATABASE_URL and API_TOKEN.')

const handler = createHttpHandler(createCustomAttributesStore(postgres(DATABASE_URL)), {
  // Ask your own sessions here: may whoever sent the request do this in this account?
  authorize: (request) => request.headers.get('authorization') === `Bearer ${API_TOKEN}`,
  onError: (error) => console.error(error),
})

// Not the edge runtime, which has no connections to PostgreSQL.
export const runtime = 'nodejs'

export { handler as GET, handler as POST }
