export { createHttpHandler } from './http/handler.js'
export type { HttpAction, HttpRoute } from './http/routes.js'
export type { HttpHandlerOptions } from './http/settings.js'
