import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { languageOf } from '../../../src/core/signals/language.ts';
import { languageMismatch, namesLanguage } from '../../../src/core/signals/language-mismatch.ts';
import { words } from './kit.ts';

const TEXTS: Readonly<Record<string, string>> = {
  en: 'How do I reset my password on this site, and where is the link for it?',
  de: 'Wie kann ich mein Passwort auf dieser Seite zurücksetzen und wo ist der Link dafür?',
  fr: 'Comment puis-je réinitialiser mon mot de passe sur ce site et où est le lien ?',
  es: '¿Cómo puedo restablecer mi contraseña en este sitio y dónde está el enlace?',
  it: 'Come posso reimpostare la mia password su questo sito e dove si trova il link?',
  pt: 'Como posso redefinir a minha senha neste site e onde está o link para isso?',
  nl: 'Hoe kan ik mijn wachtwoord op deze site opnieuw instellen en waar is de link?',
  sv: 'Hur kan jag återställa mitt lösenord på den här sidan och var finns länken?',
  pl: 'Jak mogę zresetować moje hasło na tej stronie i gdzie jest link do tego?',
  tr: 'Bu sitede şifremi nasıl sıfırlayabilirim ve bunun için bağlantı nerede?',
  ru: 'Как мне сбросить мой пароль на этом сайте и где находится ссылка для этого?',
  uk: 'Як мені скинути мій пароль на цьому сайті і де є посилання для цього?',
  ja: 'このサイトでパスワードをリセットするにはどうすればよいですか',
  zh: '我如何在这个网站上重置我的密码，链接在哪里',
  ko: '이 사이트에서 비밀번호를 어떻게 재설정하나요 링크는 어디에 있나요',
  ar: 'كيف يمكنني إعادة تعيين كلمة المرور الخاصة بي في هذا الموقع وأين الرابط',
  he: 'איך אני יכול לאפס את הסיסמה שלי באתר הזה ואיפה נמצא הקישור',
  el: 'Πώς μπορώ να επαναφέρω τον κωδικό μου σε αυτόν τον ιστότοπο',
  hi: 'मैं इस साइट पर अपना पासवर्ड कैसे रीसेट कर सकता हूं और लिंक कहां है',
  th: 'ฉันจะรีเซ็ตรหัสผ่านของฉันในเว็บไซต์นี้ได้อย่างไร',
};

describe('languageOf', () => {
  test.each(Object.entries(TEXTS))('languageOf knows %s', (language, text) => {
    expect(languageOf(words(text))).toBe(language);
  });

  test.each([
    'ok',
    'Paris',
    '42',
    '',
    'SELECT id FROM users WHERE id = 3;',
    'def f(x): return x if x is not None else [0 for i in range(3)]',
    '{"name": "and", "is": ["in", "for"]}',
    'New York, London, Tokyo, Berlin, Sydney',
    'Lorem ipsum dolor',
    '```python\nif x is not None and y in z: pass\n```',
  ])('languageOf says nothing of %j', (text) => {
    expect(languageOf(words(text))).toBeNull();
  });

  test('languageOf says nothing of a text that is half one language, half another', () => {
    expect(languageOf(words(`${TEXTS.en} ${TEXTS.de}`))).toBeNull();
    expect(languageOf(words(`${TEXTS.zh} ${TEXTS.en}`))).toBeNull();
  });
});

describe('languageMismatch', () => {
  test('languageMismatch sees an answer in another language', () => {
    const mismatch = languageMismatch(words(TEXTS.de ?? ''), words(TEXTS.en ?? ''));
    expect(mismatch).toEqual(['de', 'en']);
    expect(languageMismatch(words(TEXTS.zh ?? ''), words(TEXTS.en ?? ''))).toEqual(['zh', 'en']);
  });

  test('languageMismatch sees none between two texts of one language', () => {
    for (const text of Object.values(TEXTS)) {
      expect(languageMismatch(words(text), words(text))).toBeNull();
    }
  });

  test.each([
    ['Übersetze das bitte ins Englische: wo ist der Bahnhof und wie komme ich hin?'],
    ['Kannst du mir auf Englisch antworten, wenn ich dich etwas frage?'],
    ['Comment dit-on « je ne sais pas où est la gare » en anglais ?'],
    ['请把这句话翻译成英文：我不知道车站在哪里'],
    ['Bu cümleyi İngilizce olarak nasıl söylerim ve ne zaman kullanılır?'],
    ['Ответь мне на английском языке, как это работает и что это такое'],
  ])('languageMismatch is silent where the message speaks of languages: %s', (asked) => {
    expect(namesLanguage(words(asked))).toBe(true);
    expect(languageMismatch(words(asked), words(TEXTS.en ?? ''))).toBeNull();
  });

  test('languageMismatch is silent on short texts', () => {
    expect(languageMismatch(words('Wie geht es dir?'), words(TEXTS.en ?? ''))).toBeNull();
    expect(languageMismatch(words(TEXTS.de ?? ''), words('It is in the box.'))).toBeNull();
  });

  test('languageMismatch never throws, whatever the texts', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 });
    fc.assert(
      fc.property(text, text, (asked, answer) => {
        const found = languageMismatch(words(asked), words(answer));
        if (found) expect(found[0]).not.toBe(found[1]);
      }),
    );
  });
});
