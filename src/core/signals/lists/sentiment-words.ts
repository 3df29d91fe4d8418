/** Words and phrases by how they sound, −3 to 3. A few languages: silence beats a guess. */
export const SENTIMENT_WORDS = {
  '-3': [
    'terrible | horrible | awful | useless | garbage | worst | disgusting | hate',
    'waste of time | rubbish | unusable | furchtbar | schrecklich | nutzlos | katastrophe',
    'unbrauchbar | schrott | nul | affreux | inutile | horrible | pésimo | inútil',
    'horrible | basura | terribile | orribile | inutile | péssimo | horrível | inútil',
    'waardeloos | verschrikkelijk | ужасно | ужасный | отвратительно | бесполезно',
    '垃圾 | 糟糕 | 最悪 | 최악',
  ],
  '-2': [
    'bad | poor | wrong | incorrect | annoying | frustrating | frustrated | broken',
    'never works | doesnt work | not working | disappointed | disappointing | unhelpful',
    'angry | misleading | fails | failed',
    'schlecht | falsch | enttäuscht | enttäuschend | ärgerlich | kaputt | fehlerhaft',
    'mauvais | mauvaise | faux | décevant | déçu | déçue | énervant | malo | mala',
    'incorrecto | decepcionante | frustrante | sbagliato | pessimo | deludente | ruim',
    'errado | decepcionante | slecht | fout | teleurgesteld | плохо | плохой | неверно',
    'разочарован | 不好 | 很差 | 失望 | 悪い | 残念 | 별로 | 나쁘',
  ],
  '-1': [
    'slow | confusing | unclear | boring | verbose | vague | problem | issue | missing',
    'langsam | unklar | verwirrend | ungenau | lent | confus | lento | confuso | traag',
    'медленно | непонятно | 太慢 | 遅い | 느려',
  ],
  '1': [
    'ok | okay | fine | decent | nice | clear | quick | fast | thanks | useful',
    'gut | nett | schnell | klar | danke | nützlich | bien | bon | clair | merci | utile',
    'bueno | claro | rápido | gracias | útil | buono | chiaro | grazie | bom | obrigado',
    'goed | duidelijk | bedankt | хорошо | понятно | спасибо | 不错 | 谢谢 | 良い | 좋아',
  ],
  '2': [
    'good | great | helpful | happy | liked | accurate | impressed | solved',
    'hilfreich | toll | zufrieden | super | klasse | génial | satisfait | contento',
    'contenta | genial | ottimo | soddisfatto | ótimo | satisfeito | fijn | behulpzaam',
    'отлично | полезно | доволен | 很好 | 有用 | 満足 | 도움이',
  ],
  '3': [
    'excellent | amazing | awesome | perfect | fantastic | love | brilliant | outstanding',
    'perfekt | hervorragend | ausgezeichnet | großartig | fantastisch | parfait | excellent',
    'excelente | perfecto | perfecta | increíble | perfetto | eccellente | fantastico',
    'perfeito | uitstekend | geweldig | превосходно | прекрасно | 完美 | 太棒了 | 最高 | 完璧',
    '최고',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;

/** Words that turn what follows within a few words, and those that stress or weaken it. */
export const SENTIMENT_SHIFTS = {
  negation: `not no never dont doesnt didnt isnt wasnt wont cant couldnt without hardly nicht kein
    keine nie ohne pas jamais sans ne nunca sin non senza mai não nem sem niet geen nooit не нет без
    никогда 不 没 没有 안 못`.split(/\s+/),
  stress: `very really so extremely totally absolutely incredibly completely too sehr wirklich echt
    total absolut extrem très vraiment tellement trop muy realmente demasiado molto davvero troppo
    muito realmente demais heel erg zeer очень действительно совсем 很 非常 太 とても すごく 정말 너무`.split(
    /\s+/,
  ),
  weakening:
    `slightly somewhat bit fairly quite mostly etwas ziemlich bisschen eher peu assez plutôt
    poco bastante algo un_poco abbastanza pouco een_beetje немного довольно 有点 少し 조금`
      .replaceAll('_', ' ')
      .split(/\s+/),
} as const;
