import { describeApi } from './api-suite.js'
import { describeHostileRequests } from './hostile-suite.js'
import { startExpress } from './servers.js'

describeApi('Express', startExpress)
describeHostileRequests('Express', startExpress, { disconnects: 50 })
