/** The part of the library that tests use; it brings no types. */
declare module '@lhncbc/ucum-lhc' {
  interface UcumLhcUtils {
    convertUnitTo(from: string, value: number, to: string): { readonly status: string; readonly toVal: number | null }
  }
  const ucum: { readonly UcumLhcUtils: { getInstance(): UcumLhcUtils } }
  export default ucum
}
