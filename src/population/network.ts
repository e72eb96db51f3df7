import { reference } from './datatypes.ts'
import type { Raw } from './json.ts'
import { familyNames, femaleNames, maleNames, type Town, towns } from './names.ts'
import { Random } from './random.ts'
import { sharedId } from './record-ids.ts'

/*
 * The shared part of every population: three health systems with hospitals and departments, what belongs to them, and
 * the people who work there. Its size is fixed, so a patient's records do not depend on how many patients there are.
 */

interface Named {
  readonly id: string
  readonly name: string
  /** Reference with display, as records cite it. */
  readonly reference: Raw
}

export interface Organization extends Named {
  readonly kind:
    | 'system'
    | 'hospital'
    | 'department'
    | 'laboratory'
    | 'pharmacy'
    | 'manufacturer'
    | 'authority'
    | 'board'
  readonly town: Town
  readonly partOf?: Organization
}

export interface Location extends Named {
  readonly kind: 'site' | 'building' | 'ward' | 'room'
  readonly organization: Organization
  readonly partOf?: Location
}

export interface Practitioner extends Named {
  readonly given: string
  readonly family: string
  readonly gender: 'female' | 'male'
  readonly employer: Organization
  readonly board: Organization
}

/** A hospital with everything a visit there refers to. */
export interface Site {
  readonly hospital: Organization
  readonly departments: readonly Organization[]
  /** From the whole site down to rooms. */
  readonly locations: readonly Location[]
  readonly wards: readonly Location[]
  readonly practitioners: readonly Practitioner[]
  readonly town: Town
}

export interface Network {
  readonly organizations: readonly Organization[]
  readonly sites: readonly Site[]
  readonly laboratories: readonly Organization[]
  readonly pharmacies: readonly Organization[]
  readonly manufacturers: readonly Organization[]
  readonly authority: Organization
}

const systemNames = ['Three Rivers Health', 'St. Brigid Care Network', 'Highline Regional Health']
const hospitalsPerSystem = 3
const departmentNames = ['Internal Medicine', 'Emergency Department', 'Cardiology', "Children's & Family Medicine"]
const buildingsPerSite = 2
const wardsPerBuilding = 2
const roomsPerWard = 2
const practitionersPerSite = 16
const networkStream = 0x6e657477

/** The shared organisations, places and people of a seed. */
export function network(seed: number): Network {
  const random = new Random(seed, networkStream)
  let number = 0
  const organization = (name: string, kind: Organization['kind'], town: Town, partOf?: Organization): Organization => {
    const id = sharedId(number++)
    return { id, name, kind, town, reference: reference(`Organization/${id}`, name), ...(partOf && { partOf }) }
  }
  const supplier = (kind: Organization['kind']) => (name: string) => organization(name, kind, random.pick(towns))
  const laboratories = ['Clearwater Reference Laboratory', 'Northgate Pathology, Inc.'].map(supplier('laboratory'))
  const pharmacies = ['Corner Pharmacy #118', 'Mill Race Pharmacy', 'Harbor Drug & Sundry'].map(supplier('pharmacy'))
  const manufacturers = ['Pfizer, Inc', 'Moderna US, Inc.', 'Sanofi Pasteur'].map(supplier('manufacturer'))
  const boards = ['State Board of Healing Arts', 'Board of Registration in Medicine'].map(supplier('board'))
  const authority = supplier('authority')('Social Security Administration')

  const organizations = [...laboratories, ...pharmacies, ...manufacturers, ...boards, authority]
  const sites: Site[] = []
  for (const systemName of systemNames) {
    const system = organization(systemName, 'system', random.pick(towns))
    organizations.push(system)
    for (let i = 0; i < hospitalsPerSystem; i++) {
      const town = towns[sites.length] ?? towns[0]!
      const hospital = organization(`${town.city} ${hospitalSuffix(i)}`, 'hospital', town, system)
      const departments = departmentNames.map((name) => organization(name, 'department', town, hospital))
      organizations.push(hospital, ...departments)
      const locations = siteLocations(hospital, departments, () => sharedId(number++))
      const practitioners = Array.from({ length: practitionersPerSite }, () =>
        practitioner(random, sharedId(number++), random.pick(departments), random.pick(boards)),
      )
      const wards = locations.filter((location) => location.kind === 'ward')
      sites.push({ hospital, departments, locations, wards, practitioners, town })
    }
  }
  return { organizations, sites, laboratories, pharmacies, manufacturers, authority }
}

const hospitalSuffix = (i: number): string => ['Medical Center', 'Community Hospital', 'Family Clinic'][i] ?? 'Hospital'

function siteLocations(
  hospital: Organization,
  departments: readonly Organization[],
  nextId: () => string,
): readonly Location[] {
  const locations: Location[] = []
  const add = (kind: Location['kind'], name: string, organization: Organization, partOf?: Location): Location => {
    const id = nextId()
    const shown = reference(`Location/${id}`, name)
    const location: Location = { id, name, kind, organization, reference: shown, ...(partOf && { partOf }) }
    locations.push(location)
    return location
  }
  const site = add('site', hospital.name, hospital)
  for (let b = 1; b <= buildingsPerSite; b++) {
    const building = add('building', `${hospital.name}, Building ${b}`, hospital, site)
    for (let w = 1; w <= wardsPerBuilding; w++) {
      const department = departments[(b * wardsPerBuilding + w) % departments.length] ?? hospital
      const ward = add('ward', `${department.name} ${b}-${w}`, department, building)
      for (let r = 1; r <= roomsPerWard; r++) add('room', `Room ${b}${w}0${r}`, department, ward)
    }
  }
  return locations
}

function practitioner(random: Random, id: string, employer: Organization, board: Organization): Practitioner {
  const gender = random.chance(0.5) ? 'female' : 'male'
  const given = random.pick(gender === 'female' ? femaleNames : maleNames)
  const family = random.pick(familyNames)
  const name = `Dr. ${given} ${family}`
  return { id, name, given, family, gender, employer, board, reference: reference(`Practitioner/${id}`, name) }
}
