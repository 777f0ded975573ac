/**
 * Writes customers.csv, or the file that is named: `npx tsx examples/data/make-customers.ts [file]`. Nobody in it exists;
 * every run writes the same.
 *
 * The addresses are in the domains that RFC 2606 keeps for examples, the telephone numbers in the range that Ofcom keeps
 * for drama.
 */
import { writeFileSync } from 'node:fs'

const ROWS = 2_400

/** Names of one language, `native=latin` where the script is not Latin, and where its customers live. */
interface People {
  country: string
  timezone: string
  currency: string
  cities: string
  first: string
  last: string
}

const PEOPLES: readonly People[] = [
  {
    country: 'GB',
    timezone: 'Europe/London',
    currency: 'GBP',
    cities: 'London|Leeds|Bristol|Aberdeen',
    first: 'John|Jane|Harriet|Oliver|Imogen|Callum|Freya',
    last: "Smith|O'Neill|Taylor-Jones|Wright|Hughes|Baker",
  },
  {
    country: 'DE',
    timezone: 'Europe/Berlin',
    currency: 'EUR',
    cities: 'Köln|München|Düsseldorf|Görlitz',
    first: 'Jörg=joerg|Käthe=kaethe|Günther=guenther|Lieselotte|Björn=bjoern|Änne=aenne',
    last: 'Müller=mueller|Weiß=weiss|Schröder=schroeder|Groß=gross|Böhm=boehm|Jäger=jaeger',
  },
  {
    country: 'FR',
    timezone: 'Europe/Paris',
    currency: 'EUR',
    cities: 'Besançon|Orléans|Nîmes|Saint-Étienne',
    first: 'Zoé=zoe|François=francois|Maëlle=maelle|Jérôme=jerome|Anaïs=anais|Noël=noel',
    last: "Lefèvre=lefevre|Bérenger=berenger|d'Aubigné=d'aubigne|Châtelain=chatelain|Gaëtan=gaetan",
  },
  {
    country: 'ES',
    timezone: 'Europe/Madrid',
    currency: 'EUR',
    cities: 'Málaga|A Coruña|Cádiz|León',
    first: 'Íñigo=inigo|Begoña=begona|Raúl=raul|Inés=ines|Andrés=andres|Nuria',
    last: 'Núñez=nunez|Ibáñez=ibanez|García=garcia|Muñoz=munoz|Peña=pena|Güell=guell',
  },
  {
    country: 'PL',
    timezone: 'Europe/Warsaw',
    currency: 'PLN',
    cities: 'Łódź|Gdańsk|Poznań|Częstochowa',
    first: 'Łukasz=lukasz|Małgorzata=malgorzata|Paweł=pawel|Żaneta=zaneta|Jędrzej=jedrzej',
    last: 'Wójcik=wojcik|Dąbrowski=dabrowski|Święcicka=swiecicka|Źrebiec=zrebiec|Gęsiorek=gesiorek',
  },
  {
    country: 'CZ',
    timezone: 'Europe/Prague',
    currency: 'CZK',
    cities: 'Plzeň|Ústí nad Labem|České Budějovice|Třebíč',
    first: 'Jiří=jiri|Zdeňka=zdenka|Bořek=borek|Růžena=ruzena|Matěj=matej',
    last: 'Dvořák=dvorak|Čermáková=cermakova|Šťastný=stastny|Příhoda=prihoda|Hájek=hajek',
  },
  {
    country: 'IS',
    timezone: 'Atlantic/Reykjavik',
    currency: 'ISK',
    cities: 'Reykjavík|Ísafjörður|Egilsstaðir|Húsavík',
    first: 'Þórunn=thorunn|Guðmundur=gudmundur|Ægir=aegir|Hrafnhildur|Sæþór=saethor',
    last: 'Jónsdóttir=jonsdottir|Sigurðsson=sigurdsson|Þorláksson=thorlaksson|Björnsdóttir=bjornsdottir',
  },
  {
    country: 'TR',
    timezone: 'Europe/Istanbul',
    currency: 'TRY',
    cities: 'İstanbul|Iğdır|Muğla|Şanlıurfa',
    first: 'İpek=ipek|Işıl=isil|Çağrı=cagri|Gülşen=gulsen|Oğuz=oguz',
    last: 'Yılmaz=yilmaz|Öztürk=ozturk|Çelik=celik|Şahin=sahin|Güneş=gunes',
  },
  {
    country: 'VN',
    timezone: 'Asia/Ho_Chi_Minh',
    currency: 'VND',
    cities: 'Hà Nội|Đà Nẵng|Cần Thơ|Huế',
    first: 'Thị Hồng=thi.hong|Đức=duc|Ngọc Ánh=ngoc.anh|Tuấn=tuan|Phương=phuong',
    last: 'Nguyễn=nguyen|Trần=tran|Lê=le|Đặng=dang|Phạm=pham',
  },
  {
    country: 'UA',
    timezone: 'Europe/Kyiv',
    currency: 'UAH',
    cities: 'Київ|Львів|Ужгород|Чернігів',
    first: 'Олена=olena|Ярослав=yaroslav|Зоряна=zoriana|Тарас=taras|Їванка=yivanka',
    last: 'Шевчук=shevchuk|Ґалаґан=galagan|Кравець=kravets|Мельник=melnyk|Лисенко=lysenko',
  },
  {
    country: 'BG',
    timezone: 'Europe/Sofia',
    currency: 'EUR',
    cities: 'София|Пловдив|Варна|Русе',
    first: 'Станимир=stanimir|Цветелина=tsvetelina|Йордан=yordan|Радослава=radoslava',
    last: 'Димитров=dimitrov|Ангелова=angelova|Стоянов=stoyanov|Златева=zlateva',
  },
  {
    country: 'GR',
    timezone: 'Europe/Athens',
    currency: 'EUR',
    cities: 'Αθήνα|Θεσσαλονίκη|Ηράκλειο|Πάτρα',
    first: 'Ελένη=eleni|Γιώργος=giorgos|Αφροδίτη=afroditi|Σπύρος=spyros|Χλόη=chloi',
    last: 'Παπαδόπουλος=papadopoulos|Οικονόμου=oikonomou|Βλάχου=vlachou|Ζαχαρίας=zacharias',
  },
  {
    country: 'GE',
    timezone: 'Asia/Tbilisi',
    currency: 'GEL',
    cities: 'თბილისი|ბათუმი|ქუთაისი|გორი',
    first: 'ნინო=nino|გიორგი=giorgi|თამარი=tamari|ლევანი=levani',
    last: 'ბერიძე=beridze|კაპანაძე=kapanadze|ლომიძე=lomidze|წიკლაური=tsiklauri',
  },
  {
    country: 'AM',
    timezone: 'Asia/Yerevan',
    currency: 'AMD',
    cities: 'Երևան|Գյումրի|Վանաձոր',
    first: 'Անահիտ=anahit|Տիգրան=tigran|Նարեկ=narek|Լուսինե=lusine',
    last: 'Սարգսյան=sargsyan|Պետրոսյան=petrosyan|Հակոբյան=hakobyan|Գրիգորյան=grigoryan',
  },
  {
    country: 'EG',
    timezone: 'Africa/Cairo',
    currency: 'EGP',
    cities: 'القاهرة|الإسكندرية|أسوان|الأقصر',
    first: 'ليلى=layla|يوسف=yusuf|مريم=maryam|عمر=umar|نور=nur',
    last: 'الشريف=alsharif|منصور=mansur|حدّاد=haddad|القاضي=alqadi|عبد الله=abdallah',
  },
  {
    country: 'IL',
    timezone: 'Asia/Jerusalem',
    currency: 'ILS',
    cities: 'תל אביב|חיפה|ירושלים|באר שבע',
    first: 'נועה=noa|איתי=itai|שירה=shira|דוד=david|תמר=tamar',
    last: 'לוי=levi|מזרחי=mizrahi|פרץ=peretz|בן־דוד=bendavid|אביטל=avital',
  },
  {
    country: 'IR',
    timezone: 'Asia/Tehran',
    currency: 'IRR',
    cities: 'تهران|شیراز|اصفهان|تبریز',
    first: 'پریسا=parisa|کیان=kian|ژاله=zhaleh|گلناز=golnaz|بهرام=bahram',
    last: 'رضایی=rezaei|نیک‌پور=nikpour|کریمی=karimi|میرزایی=mirzaei',
  },
  {
    country: 'IN',
    timezone: 'Asia/Kolkata',
    currency: 'INR',
    cities: 'दिल्ली|जयपुर|वाराणसी|पुणे',
    first: 'अनन्या=ananya|विक्रम=vikram|दीक्षा=diksha|कृष्णा=krishna|श्रुति=shruti',
    last: 'शर्मा=sharma|त्रिपाठी=tripathi|सिंह=singh|मिश्रा=mishra|वर्मा=varma',
  },
  {
    country: 'IN',
    timezone: 'Asia/Kolkata',
    currency: 'INR',
    cities: 'சென்னை|மதுரை|கோயம்புத்தூர்',
    first: 'கவிதா=kavitha|முருகன்=murugan|லட்சுமி=lakshmi|செல்வம்=selvam',
    last: 'சுப்பிரமணியன்=subramanian|நாராயணன்=narayanan|பாண்டியன்=pandian',
  },
  {
    country: 'BD',
    timezone: 'Asia/Dhaka',
    currency: 'BDT',
    cities: 'ঢাকা|চট্টগ্রাম|সিলেট|রাজশাহী',
    first: 'ফারহানা=farhana|তানভীর=tanvir|মিতু=mitu|শফিক=shafiq',
    last: 'চৌধুরী=chowdhury|আক্তার=akter|রহমান=rahman|সরকার=sarkar',
  },
  {
    country: 'CN',
    timezone: 'Asia/Shanghai',
    currency: 'CNY',
    cities: '北京|上海|成都|西安',
    first: '伟=wei|秀英=xiuying|子涵=zihan|建国=jianguo|雨桐=yutong',
    last: '王=wang|李=li|欧阳=ouyang|陈=chen|赵=zhao',
  },
  {
    country: 'TW',
    timezone: 'Asia/Taipei',
    currency: 'TWD',
    cities: '臺北|高雄|臺南|花蓮',
    first: '怡君=yijun|家豪=jiahao|淑芬=shufen|冠廷=guanting',
    last: '陳=chen|林=lin|黃=huang|張=zhang|劉=liu',
  },
  {
    country: 'JP',
    timezone: 'Asia/Tokyo',
    currency: 'JPY',
    cities: '東京|大阪|札幌|那覇',
    first: 'さくら=sakura|健太=kenta|アキラ=akira|美咲=misaki|ゆうき=yuuki',
    last: '佐藤=sato|髙橋=takahashi|渡邊=watanabe|小林=kobayashi|𠮷田=yoshida',
  },
  {
    country: 'KR',
    timezone: 'Asia/Seoul',
    currency: 'KRW',
    cities: '서울|부산|대구|제주',
    first: '서연=seoyeon|민준=minjun|하늘=haneul|지우=jiwoo|도현=dohyun',
    last: '김=kim|이=lee|박=park|최=choi|남궁=namgung',
  },
  {
    country: 'TH',
    timezone: 'Asia/Bangkok',
    currency: 'THB',
    cities: 'กรุงเทพฯ|เชียงใหม่|ภูเก็ต|ขอนแก่น',
    first: 'สมชาย=somchai|กัญญา=kanya|ธนพล=thanapon|พิมพ์ชนก=pimchanok',
    last: 'ศรีสุข=srisuk|ทองดี=thongdee|วงศ์ใหญ่=wongyai|แก้วมณี=kaewmanee',
  },
  {
    country: 'KH',
    timezone: 'Asia/Phnom_Penh',
    currency: 'KHR',
    cities: 'ភ្នំពេញ|សៀមរាប|បាត់ដំបង',
    first: 'សុភា=sophea|ចាន់ធូ=chanthou|ដារ៉ា=dara|បុប្ផា=bopha',
    last: 'ជា=chea|សុខ=sok|លឹម=lim|ហេង=heng',
  },
  {
    country: 'ET',
    timezone: 'Africa/Addis_Ababa',
    currency: 'ETB',
    cities: 'አዲስ አበባ|ጎንደር|ሐዋሳ',
    first: 'ሰላም=selam|ዳዊት=dawit|ብርሃን=birhan|ሕይወት=hiwot',
    last: 'ተስፋዬ=tesfaye|ከበደ=kebede|አበበ=abebe|ወልዴ=wolde',
  },
]

const HEADERS = [
  'Email',
  'First Name',
  'Last Name',
  'Phone',
  'Company',
  'Birthday',
  'Country',
  'City',
  'Zip',
  'Time Zone',
  'Currency',
  'Accepts Marketing',
  'Orders Count',
  'Total Spent',
  'Last Order Date',
  // From here on columns that nobody declared.
  'loyalty_tier',
  'Loyalty Points',
  'Favourite Colour',
  'Store Nº',
  'お気に入り',
  'Комментарий',
  'Newsletter Topics',
  'Referral Code',
]

const TIERS = ['bronze', 'silver', 'gold', 'platinum']
const COLOURS = ['teal', 'ocre', 'grün', 'синий', 'أخضر', '紫', 'नीला', '🌈']
const FAVOURITES = ['コーヒー ☕', '抹茶', '犬 🐕', '猫 🐈‍⬛', '音楽 🎶']
const TOPICS = ['news', 'offers', 'events', 'recipes', 'travel']
const COMMENTS = [
  'Звонить после 18:00',
  'Prefers "Ms", not "Mrs"',
  'Two deliveries:\nhome, then the office',
  '👩‍👩‍👧‍👦 family plan',
  'ขอใบกำกับภาษี',
  'يفضّل البريد الإلكتروني',
]
const COMPANIES = ['Example & Söhne', 'Fiction, Ltd.', 'Пример ООО', '例示株式会社', 'حلول مثالية', '"Quotes" Inc.']

/** mulberry32: small, and the same on every machine. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const random = createRandom(2025)
const below = (limit: number): number => Math.floor(random() * limit)
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!
const sometimes = (share: number, value: () => string): string => (random() < share ? value() : '')
const digits = (count: number): string => Array.from({ length: count }, () => below(10)).join('')
const date = (from: number, to: number): string =>
  `${from + below(to - from)}-${String(1 + below(12)).padStart(2, '0')}-${String(1 + below(28)).padStart(2, '0')}`

function makeRow(number: number): string[] {
  const people = pick(PEOPLES)
  const [first, firstLatin] = nameOf(people.first)
  const [last, lastLatin] = nameOf(people.last)
  return [
    `${firstLatin}.${lastLatin}.${number}@example.${pick(['com', 'org', 'net'])}`,
    sometimes(0.95, () => first),
    last,
    sometimes(0.5, () => `+44 1632 960${digits(3)}`),
    sometimes(0.2, () => pick(COMPANIES)),
    sometimes(0.6, () => date(1945, 2006)),
    people.country,
    pick(people.cities.split('|')),
    sometimes(0.7, () => digits(5)),
    people.timezone,
    people.currency,
    pick(['yes', 'no', 'true', 'false', '']),
    String(below(40)),
    sometimes(0.8, () => `${below(5000)}.${digits(2)}`),
    sometimes(
      0.5,
      () => `${date(2023, 2025)}T${String(below(24)).padStart(2, '0')}:${String(below(60)).padStart(2, '0')}:00Z`,
    ),
    sometimes(0.7, () => pick(TIERS)),
    sometimes(0.6, () => String(below(10_000))),
    sometimes(0.4, () => pick(COLOURS)),
    sometimes(0.5, () => digits(4)),
    sometimes(0.2, () => pick(FAVOURITES)),
    sometimes(0.1, () => pick(COMMENTS)),
    sometimes(0.4, () => TOPICS.filter(() => random() < 0.4).join(', ')),
    sometimes(0.3, () => `00${digits(6)}`),
  ]
}

function nameOf(names: string): [native: string, latin: string] {
  const [native, latin] = pick(names.split('|')).split('=')
  return [native!, latin ?? native!.toLowerCase()]
}

function formatRow(cells: readonly string[]): string {
  return `${cells.map((cell) => (/[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',')}\n`
}

const rows = Array.from({ length: ROWS }, (_, index) => makeRow(index + 1))

// Customers that come again: one with the same values, one with a new tier, one who typed capitals.
rows.splice(900, 0, rows[300]!)
rows.splice(1_500, 0, [...rows[700]!.with(HEADERS.indexOf('loyalty_tier'), 'diamond')])
rows.splice(1_800, 0, [...rows[20]!.with(0, rows[20]![0]!.toUpperCase())])

// What goes wrong in files of real life, a row each.
const spoil = (row: number, header: string, value: string): void => {
  rows[row] = rows[row]!.with(HEADERS.indexOf(header), value)
}
spoil(99, 'Email', 'jane.doe at example.com')
spoil(250, 'Email', '')
spoil(480, 'Orders Count', 'three')
spoil(777, 'Birthday', '1990-02-30')
spoil(1_111, 'Last Order Date', '24/12/2024')
spoil(1_400, 'Total Spent', '1.234,50')
spoil(2_000, 'Accepts Marketing', 'maybe')
rows[1_650] = rows[1_650]!.slice(0, 9)
rows[2_222] = [...rows[2_222]!, 'a comma that was not quoted']

const text = rows.map(formatRow)
// A line that somebody left blank is no row.
text.splice(1_200, 0, '\n')
writeFileSync(process.argv[2] ?? new URL('customers.csv', import.meta.url), formatRow(HEADERS) + text.join(''))
