/** The rows of a report that keep to the width of the terminal: all but commands, which are for copying and never broken. */
export const boundedRows = (text: string): readonly string[] => text.split('\n').filter((row) => !/ netctl (?:trace|compare) /.test(row))
