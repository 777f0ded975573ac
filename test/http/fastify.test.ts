import { describeApi } from './api-suite.js'
import { describeHostileRequests } from './hostile-suite.js'
import { startFastify } from './servers.js'

describeApi('Fastify', startFastify)
describeHostileRequests('Fastify', startFastify, { disconnects: 50 })
