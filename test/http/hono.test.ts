import { describeApi } from './api-suite.js'
import { describeHostileRequests } from './hostile-suite.js'
import { startHono } from './servers.js'

describeApi('Hono', startHono)
describeHostileRequests('Hono', startHono, { disconnects: 200 })
