import { describe } from 'vitest'
import { useApi } from './api.js'
import type { StartServer } from './servers.js'
import { describeAttributeRoutes } from './suites/attributes.js'
import { describeAudienceRoutes } from './suites/audiences.js'
import { describeAuthorize } from './suites/authorize.js'
import { describeExport } from './suites/export.js'
import { describePreview } from './suites/preview.js'
import { describeProgress } from './suites/progress.js'
import { describeRoutes } from './suites/routes.js'
import { describeServerErrors } from './suites/server-errors.js'
import { describeTemplates } from './suites/templates.js'
import { describeUpload } from './suites/upload.js'
import { describeUploadOptions } from './suites/upload-options.js'
import { describeUploadRoutes } from './suites/uploads.js'

/** What the API promises, whatever server the handler runs in. */
export function describeApi(name: string, start: StartServer): void {
  describe(`HTTP API: ${name}`, () => {
    const api = useApi(start)
    describeUpload(api)
    describeUploadOptions(api)
    describePreview(api)
    describeExport(api)
    describeProgress(api)
    describeAuthorize(api)
    describeRoutes(api)
    describeAttributeRoutes(api)
    describeAudienceRoutes(api)
    describeUploadRoutes(api)
    describeTemplates(api)
    describeServerErrors(api)
  })
}
