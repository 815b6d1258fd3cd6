import { ipipCases } from './ipip.ts'
import { vmSuite } from './suite.ts'

vmSuite('the walk and the emulated kernel', ipipCases)
