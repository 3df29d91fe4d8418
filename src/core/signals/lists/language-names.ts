/**
 * Words by which a message asks for another language than its own. Where one stands, a difference
 * of languages says nothing.
 */
export const LANGUAGE_NAMES: Readonly<Record<'named', readonly string[]>> = {
  named: [
    ...`translate translation translated translator language languages english german french
      spanish italian portuguese dutch swedish polish turkish russian ukrainian chinese mandarin
      cantonese japanese korean arabic hebrew greek hindi thai latin bilingual
      englisch englische englischen englischer deutsch deutsche deutschen deutscher französisch
      französische spanisch spanische italienisch italienische portugiesisch niederländisch
      schwedisch polnisch türkisch russisch ukrainisch chinesisch japanisch koreanisch arabisch
      übersetze übersetz übersetzen übersetzt übersetzung sprache
      anglais allemand français espagnol italien portugais néerlandais russe chinois japonais
      coréen arabe traduis traduisez traduire traduction traduit langue
      inglés alemán francés español italiano portugués holandés ruso chino japonés coreano árabe
      traduce traduzca traducir traducción traduzcas idioma lengua castellano
      inglese tedesco francese spagnolo portoghese olandese russo cinese giapponese arabo traduci
      tradurre traduca traduzione lingua
      inglês alemão francês espanhol português holandês chinês japonês traduza traduz traduzir
      tradução língua
      engels duits frans spaans italiaans vertaal vertalen vertaling taal
      engelska tyska franska spanska översätt översätta översättning språk
      angielski angielskim angielsku niemiecki niemiecku francuski polsku przetłumacz tłumaczenie
      ingilizce almanca fransızca ispanyolca türkçe çevir çeviri
      английский английском немецкий немецком французский русский русском переведи переведите
      перевод перевести язык языке английською німецькою українською переклади переклад мовою
      번역 영어로 한국어로 일본어로 영어 한국어`.split(/\s+/),
    '翻译 | 翻譯 | 翻訳 | 英語 | 英语 | 英文 | 中文 | 日本語 | 日语 | 日文 | 德语',
    'ترجم | ترجمة | بالإنجليزية | الإنجليزية | תרגם | अनुवाद',
  ],
};
