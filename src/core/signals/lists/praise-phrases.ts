/**
 * What people say after an answer that served. `praise` are words so short and common that they
 * count only where little else is said.
 */
export const PRAISE_PHRASES = {
  thanks: [
    'thanks | thank you | thx | ty | that works | it worked | that worked | works now',
    'that helps | that helped | very helpful | exactly what i needed | problem solved',
    'danke | vielen dank | dankeschön | das hilft | hat geholfen | es klappt',
    'es funktioniert jetzt | genau das | merci | ça marche maintenant | gracias',
    'muchas gracias | ya funciona | grazie | grazie mille | ora funziona | obrigado',
    'obrigada | funcionou | bedankt | dank je | dank u | tack | dziękuję | dzięki',
    'teşekkürler | teşekkür ederim | спасибо | благодарю | помогло | дякую',
    '谢谢 | 多谢 | 太好了 | 谢了 | 謝謝 | ありがとう | 助かりました | 감사합니다 | 고마워',
    '고맙습니다 | شكرا | شكراً | धन्यवाद | תודה',
  ],
  praise: [
    'perfect | great | awesome | excellent | brilliant | nice | wonderful | solved',
    'it works | cheers | perfekt | super | klasse | prima | funktioniert | parfait',
    'génial | ça marche | perfecto | genial | excelente | funciona | perfetto | ottimo',
    'funziona | perfeito | ótimo | top | świetnie | działa | harika | отлично | супер',
    'работает | чудово | 完璧 | 완벽해 | ممتاز',
  ],
} as const satisfies Readonly<Record<string, readonly string[]>>;
