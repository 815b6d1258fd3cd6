/** A table of n1 with a filter chain on FORWARD that has these rules; `sets` stand before it. */
export const forward = (rules: string, sets = '', family = 'ip') => ({
  n1: `table ${family} t {
    ${sets}
    chain ways {
      type filter hook forward priority 0; policy accept;
      ${rules}
    }
  }`,
})
