/** ctrl-C was pressed: nothing to explain, exit 130. */
export class Interrupted extends Error {
  constructor() {
    super('interrupted')
    this.name = 'Interrupted'
  }
}
