import { ipvsModeCases } from './ipvs-modes.ts'
import { vmSuite } from './suite.ts'

vmSuite('the walk and IPVS of the emulated kernel', ipvsModeCases)
