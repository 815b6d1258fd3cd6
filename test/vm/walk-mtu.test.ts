import { mtuCases } from './mtu.ts'
import { vmSuite } from './suite.ts'

vmSuite('the walk and sizes in the emulated kernel', mtuCases)
