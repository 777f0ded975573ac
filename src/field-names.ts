import { nameForm, type StandardColumn } from './names.js'

/** What people call a standard field. */
interface FieldNames {
  /** names that mean nothing else: a header of such a form fills the field */
  aliases: string
  /** names that mostly mean it, of English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Japanese */
  synonyms?: string
}

const FIELD_NAMES: Readonly<Partial<Record<StandardColumn, FieldNames>>> = {
  email: {
    aliases:
      'Email Address, E-mail 1 - Value, Mail, E-Mail-Adresse, Adresse e-mail, Courriel, ' +
      'Correo electrónico, Indirizzo e-mail, Endereço de e-mail, E-mailadres, Adres e-mail, E-postadress, メールアドレス',
    synonyms:
      'Mail Address, E-mail ID, Primary Email, Work Email, Contact Email, Mailadresse, Adresse mail, Adresse électronique, Mél, Correo, ' +
      'Dirección de correo, Posta elettronica, Correio eletrônico, Poczta, E-post, Mejl, メール, Eメール',
  },
  first_name: {
    aliases: 'FName, Given Name, Forename, Vorname, Prénom, Voornaam, Förnamn',
    synonyms:
      'First, Christian Name, Name, Rufname, Nom de baptême, Nombre, Nombre de pila, Nome, Nome próprio, Primeiro nome, ' +
      'Roepnaam, Imię, Tilltalsnamn, 名, 名前',
  },
  last_name: {
    aliases:
      'LName, Family Name, Surname, Nachname, Familienname, Nom de famille, Cognome, Achternaam, Nazwisko, Efternamn',
    synonyms: 'Last, Second Name, Zuname, Nom, Apellido, Apellidos, Sobrenome, Apelido, Familienaam, 姓, 名字',
  },
  phone: {
    aliases:
      'Phone Number, Mobile, Mobile Phone, Phone 1 - Value, SMS, Telephone, Telephone Number, Cell Phone, ' +
      'Cell Phone Number, Mobile Number, Mobile Phone Number, Telefonnummer, Numéro de téléphone, Número de teléfono, ' +
      'Numero di telefono, Número de telefone, Telefoonnummer, Numer telefonu, 電話番号',
    synonyms:
      'Tel, Tel No, Tel Number, Phone No, Cell, Cellphone, Cellular, Contact Number, WhatsApp, Telefon, Handy, ' +
      'Handynummer, Mobilnummer, Mobiltelefon, Rufnummer, Téléphone, Portable, Teléfono, Móvil, Telefono, Cellulare, ' +
      'Telefone, Celular, Telemóvel, Telefoon, Mobiel, Komórka, 電話, 携帯電話',
  },
  company: {
    aliases: 'Company Name, Organization, Organization Name, Organisation, Organisation Name',
    synonyms:
      'Business, Business Name, Employer, Account Name, Firma, Firmenname, Unternehmen, Société, Entreprise, Empresa, ' +
      'Azienda, Società, Companhia, Bedrijf, Bedrijfsnaam, Nazwa firmy, Företag, Företagsnamn, 会社, 会社名',
  },
  birthday: {
    aliases:
      'Date of Birth, Geburtsdatum, Date de naissance, Fecha de nacimiento, Data di nascita, Data de nascimento, ' +
      'Geboortedatum, Data urodzenia, Födelsedatum, 生年月日',
    synonyms:
      'DOB, Birthdate, Birth Day, Bday, Born, Geburtstag, Anniversaire, Cumpleaños, Compleanno, Aniversário, ' +
      'Verjaardag, Urodziny, Födelsedag, 誕生日',
  },
  currency: {
    aliases: 'Currency Code',
    synonyms: 'Währung, Devise, Monnaie, Moneda, Divisa, Valuta, Moeda, Waluta, 通貨',
  },
  country: {
    aliases: 'Country Name',
    synonyms: 'Country/Region, Country Code, Nation, Land, Pays, País, Paese, Nazione, Kraj, 国',
  },
  province: {
    aliases: 'State, Region, State / Region, State/Province, State or Province',
    synonyms:
      'State Code, County, Bundesland, Kanton, Département, Région, Provincia, Regione, Estado, Provincie, ' +
      'Województwo, Län, 都道府県',
  },
  city: {
    aliases: 'City Name',
    synonyms:
      'Town, City/Town, Locality, Suburb, Stadt, Ort, Wohnort, Ville, Ciudad, Città, Comune, Cidade, Stad, ' +
      'Plaats, Woonplaats, Miasto, Miejscowość, Postort, 市区町村',
  },
  address1: {
    aliases: 'Address Line 1',
    synonyms:
      'Address, Street Address, Street, Postal Address, Mailing Address, Adresse, Anschrift, Straße, Strasse, Rue, Dirección, ' +
      'Calle, Indirizzo, Endereço, Morada, Rua, Adres, Straat, Ulica, Adress, Gatuadress, 住所',
  },
  address2: {
    aliases: 'Address Line 2',
    synonyms:
      'Street Address 2, Street 2, Apartment, Apt, Suite, Unit, Adresszusatz, Complément d’adresse, Complemento',
  },
  postal_code: {
    aliases:
      'ZIP, Zip Code, Postcode, Postal, ZIP/Postal Code, Postleitzahl, PLZ, Code postal, Código postal, ' +
      'Codice postale, Kod pocztowy, Postnummer, 郵便番号',
    synonyms: 'Post Code, Pin Code, CP, CAP, CEP',
  },
  timezone: {
    aliases: '',
    synonyms: 'TZ, Zeitzone, Fuseau horaire, Zona horaria, Fuso orario, Tijdzone',
  },
  accepts_marketing: {
    aliases: '',
    synonyms:
      'Accepts Email Marketing, Email Marketing Consent, Marketing Consent, Opt In, Opted In, Newsletter, Subscribed',
  },
  source: {
    aliases: '',
    synonyms: 'Lead Source, Signup Source, Origin, Channel, Quelle, Herkunft, Origine, Fuente, Origen',
  },
  status: { aliases: '', synonyms: 'State of Customer, Customer Status, Statut, Estado del cliente, Stato' },
  orders_count: {
    aliases: '',
    synonyms: 'Orders, Order Count, Total Orders, Number of Orders, Bestellungen, Commandes',
  },
  total_spent: { aliases: '', synonyms: 'Total Spend, Lifetime Value, LTV, Amount Spent, Revenue, Umsatz' },
  last_order_date: { aliases: '', synonyms: 'Last Order, Last Purchase, Last Purchase Date, Letzte Bestellung' },
  domain_name: { aliases: '', synonyms: 'Domain, Website' },
}

const split = (names: string | undefined): string[] => (names ? names.split(', ') : [])

const FIELD_BY_ALIAS = new Map<string, StandardColumn>(
  Object.entries(FIELD_NAMES).flatMap(([field, { aliases }]) =>
    split(aliases).map((alias) => [nameForm(alias), field as StandardColumn] as const),
  ),
)

/** The standard field that has an alias of this form. */
export function fieldOfAlias(form: string): StandardColumn | undefined {
  return FIELD_BY_ALIAS.get(form)
}

/** The aliases of a standard field, each in one spelling. */
export function aliasesOfField(field: StandardColumn): string[] {
  return split(FIELD_NAMES[field]?.aliases)
}

/** The aliases and the synonyms of a standard field. */
export function namesOfField(field: StandardColumn): string[] {
  return [...aliasesOfField(field), ...split(FIELD_NAMES[field]?.synonyms)]
}
