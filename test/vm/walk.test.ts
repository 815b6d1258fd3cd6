import { ipipCases } from './ipip.ts'
import { ipvsCases } from './ipvs.ts'
import { vmSuite } from './suite.ts'
import { wireguardCases } from './wireguard.ts'

vmSuite('the walk and the emulated kernel', [...ipipCases, ...ipvsCases, ...wireguardCases])
