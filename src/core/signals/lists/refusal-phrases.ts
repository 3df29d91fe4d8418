/**
 * How models say that they will not, by language: phrases that name the refusal itself. “I cannot
 * find an error” is none, so a bare “I cannot” is not here.
 */
export const REFUSAL_PHRASES = {
  en: [
    ...['i cant help with', 'i cannot help with', 'i cant help you with', 'i cannot help you with'],
    ...['i cant assist', 'i cannot assist', 'i am unable to assist', 'im unable to assist'],
    ...['im not able to assist', 'i am not able to assist', 'im not able to help with'],
    ...['im unable to help with', 'i am unable to help with', 'i wont be able to help with'],
    ...['i wont be able to assist', 'i cant comply', 'i cannot comply', 'i wont comply'],
    ...['i cant fulfill', 'i cannot fulfill', 'i cant fulfil', 'i cannot fulfil'],
    ...['i must decline', 'i have to decline', 'i need to decline', 'im going to decline'],
    ...['im not able to provide assistance', 'i cant provide assistance'],
    ...[
      'im sorry but i cant do that',
      'im sorry but i cant provide',
      'im sorry but i cannot provide',
    ],
    ...[
      'sorry but i cant provide',
      'sorry but i cannot provide',
      'i cant engage',
      'i cannot engage',
    ],
    ...['im not comfortable', 'i wont provide', 'i will not provide', 'i cant create content'],
    ...['i cannot create content', 'i cant generate content', 'i cannot generate content'],
    ...['i cant write that', 'i cant do that', 'i cannot do that', 'i wont do that'],
    ...['its against my guidelines', 'that goes against my guidelines'],
    ...['as an ai language model i cannot', 'as an ai language model i cant', 'as an ai i cannot'],
  ],
  de: [
    ...['dabei kann ich nicht helfen', 'dabei kann ich ihnen nicht helfen'],
    ...['dabei kann ich dir nicht helfen', 'damit kann ich nicht helfen'],
    ...['damit kann ich ihnen nicht helfen', 'damit kann ich dir nicht helfen'],
    ...['ich kann dabei nicht helfen', 'ich kann dir dabei nicht helfen'],
    ...['ich kann ihnen dabei nicht helfen', 'ich kann diese anfrage nicht'],
    ...['ich kann dieser bitte nicht', 'ich muss das ablehnen', 'ich muss ablehnen'],
    ...['das kann ich leider nicht tun', 'ich darf dazu keine', 'ich kann dazu keine anleitung'],
    ...['ich kann ihnen dazu keine', 'ich kann dir dazu keine'],
  ],
  fr: [
    ...['je ne peux pas vous aider', 'je ne peux pas taider', 'je ne peux pas répondre à cette'],
    ...['je ne suis pas en mesure de vous aider', 'je ne suis pas en mesure de taider'],
    ...['je ne peux pas accéder à cette demande', 'je ne peux pas fournir'],
    ...['je dois refuser', 'je dois décliner', 'je ne peux pas faire cela'],
  ],
  es: [
    ...['no puedo ayudarte con', 'no puedo ayudarle con', 'no puedo ayudar con'],
    ...['no puedo cumplir con', 'no puedo proporcionar', 'debo rechazar', 'tengo que rechazar'],
    ...['no puedo asistirte', 'no puedo hacer eso', 'no puedo ayudarte en eso'],
  ],
  it: [
    ...['non posso aiutarti con', 'non posso aiutarla con', 'non posso aiutarti in'],
    ...['non posso fornire', 'non posso assisterti', 'devo rifiutare', 'devo declinare'],
    ...['non posso soddisfare questa richiesta', 'non posso farlo'],
  ],
  pt: [
    ...['não posso ajudar com', 'não posso ajudá lo com', 'não posso te ajudar com'],
    ...['não posso fornecer', 'não posso atender', 'não posso fazer isso', 'devo recusar'],
    ...['não consigo ajudar com isso', 'preciso recusar'],
  ],
  nl: [
    ...['ik kan je daar niet mee helpen', 'ik kan u daar niet mee helpen'],
    ...['daar kan ik niet mee helpen', 'daar kan ik je niet mee helpen', 'ik moet weigeren'],
    ...['daar kan ik niet bij helpen', 'ik kan hier niet bij helpen', 'ik kan niet helpen met'],
  ],
  pl: ['nie mogę pomóc w', 'nie mogę ci pomóc', 'nie mogę w tym pomóc', 'muszę odmówić'],
  tr: ['bu konuda yardımcı olamam', 'size yardımcı olamam', 'bu isteği yerine getiremem'],
  ru: [
    ...['я не могу помочь', 'я не могу вам помочь', 'я не могу выполнить этот запрос'],
    ...['я не могу выполнить эту просьбу', 'я вынужден отказать', 'не могу помочь с этим'],
    ...['я не могу с этим помочь', 'я не могу предоставить'],
  ],
  zh: [
    '我无法提供',
    '我不能提供',
    '我无法协助',
    '我不能协助',
    '我无法帮助',
    '我無法提供',
    '我無法協助',
  ],
  ja: ['お手伝いできません', 'お手伝いすることはできません', 'お答えできません', '対応できません'],
  ko: [
    '도와드릴 수 없습니다',
    '도움을 드릴 수 없습니다',
    '제공할 수 없습니다',
    '도와 드릴 수 없습니다',
  ],
  ar: ['لا أستطيع مساعدتك', 'لا يمكنني مساعدتك', 'لا أستطيع المساعدة', 'لا يمكنني المساعدة'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
