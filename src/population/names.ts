/* Where invented people and places get their names. The towns are real; no person is. */

export const femaleNames = [
  ...['Amara', 'Beatriz', 'Carmen', 'Dalia', 'Edith', 'Farah', 'Greta', 'Hana', 'Imani', 'Joan', 'Keiko', 'Leticia'],
  ...['Mabel', 'Nadia', 'Odette', 'Priya', 'Quinn', 'Rosa', 'Sunita', 'Tamsin', 'Ursula', 'Vera', 'Wanda', 'Ximena'],
  ...['Yolanda', 'Zofia', 'Renée', 'Zoë', 'Siân', 'Ève'],
]

export const maleNames = [
  ...['Abel', 'Bruno', 'Cedric', 'Dmitri', 'Emeka', 'Felix', 'Gideon', 'Hiro', 'Ivan', 'Jamal', 'Kofi', 'Luis'],
  ...['Marco', 'Nils', 'Omar', 'Pavel', 'Rafael', 'Samir', 'Tobias', 'Umberto', 'Victor', 'Wendell', 'Xavier', 'Yusuf'],
  ...['Zachary', 'André', 'Jürgen', 'Señán', 'Łukasz', 'Nuño'],
]

export const familyNames = [
  ...['Abara', 'Ahmadi', 'Almeida', 'Bakker', 'Banerjee', 'Becerra', 'Bergström', 'Bianchi', 'Brennan', 'Castañeda'],
  ...['Chaudhry', 'Cho', 'Crowfoot', 'Dambrowski', 'Delacroix', 'Diallo', 'Dubois', 'Eriksen', 'Farrow', 'Ferreira'],
  ...[
    'Garnett',
    'Goldberg',
    'Haddad',
    'Halloran',
    'Hernández',
    'Holloway',
    'Ibarra',
    'Ishikawa',
    'Ivanova',
    'Jankowski',
  ],
  ...['Kamau', 'Kaplan', 'Kowalczyk', 'Lindqvist', 'Lopes', 'Mahoney', 'Mbeki', 'Montoya', 'Nakamura', 'Nguyen'],
  ...['Novak', "O'Dowd", 'Okafor', 'Olsen', 'Papadakis', 'Petrov', 'Quispe', 'Rahman', 'Reyes', 'Rossi'],
  ...['Saavedra', 'Schäfer', 'Sharma', 'Silva', 'Sorensen', 'Tanaka', 'Thackeray', 'Tran', 'Ueda', 'Vargas'],
  ...['Vasquez', 'Villanueva', 'Wójcik', 'Weatherby', 'Whitehorse', 'Xu', 'Yamamoto', 'Yilmaz', 'Zapata', 'Zielinski'],
]

export const streets = [
  ...['Alder Street', 'Birch Lane', 'Cedar Avenue', 'Dogwood Court', 'Elm Terrace', 'Foundry Road', 'Granite Way'],
  ...[
    'Harbor View Drive',
    'Juniper Place',
    'Kiln Street',
    'Linden Boulevard',
    'Mill Race Road',
    'North Quay',
    'Orchard Row',
  ],
]

export interface Town {
  readonly city: string
  readonly state: string
  readonly postalCode: string
  readonly offsetHours: number
  /** Decimal degrees as text: longer than a double can hold in some places, which a store must keep. */
  readonly latitude: string
  readonly longitude: string
}

const town = (place: string, offsetHours: number, latitude: string, longitude: string): Town => {
  const [city, state, postalCode] = place.split('|') as [string, string, string]
  return { city, state, postalCode, offsetHours, latitude, longitude }
}

export const towns: readonly Town[] = [
  town('Kansas City|MO|64116', -6, '39.09970', '-94.57860'),
  town('Duluth|MN|55802', -6, '46.78670', '-92.10050'),
  town('Santa Fe|NM|87501', -7, '35.687000000000000500', '-105.93780'),
  town('Tacoma|WA|98402', -8, '47.25290', '-122.444300000000000001'),
  town('Savannah|GA|31401', -5, '32.08090', '-81.09120'),
  town('Burlington|VT|05401', -5, '44.47590', '-73.21210'),
  town('El Paso|TX|79901', -7, '31.76190', '-106.48500'),
  town('Fresno|CA|93721', -8, '36.73780', '-119.78710'),
  town('Cañon City|CO|81212', -7, '38.44100', '-105.24240'),
]
