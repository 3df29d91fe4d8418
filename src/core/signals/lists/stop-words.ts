/**
 * Words that are frequent in a language and say little: what languages of one script are told apart
 * by, and what a question is compared without. A word may belong to several.
 */
export const STOP_WORDS: Readonly<Record<string, string>> = {
  en: `the of and to in is you that it he was for on are as with his they at be this have from or
    had by but what some we can out other were all there when up use your how said an each she
    which do their if will would could should about into than them been has who its did get make
    my me i a not no so im dont cant please does why where these those any just like want need`,
  de: `der die das und ist nicht ein eine einen einem einer ich du er wir ihr zu den von mit für
    auf im dem des sich auch es an werden aus bei nach wie wird wenn noch nur über so zum zur kann
    können haben hat sind war aber oder als bitte mir mich mein meine dein deine sie was wo warum
    diese dieser dieses man doch schon sehr mehr keine kein gibt mal`,
  fr: `le la les de des du et un une est pas que qui dans en pour sur au aux avec ce cette ces il
    elle nous vous je tu ne se son sa ses par plus ou mais sont être avoir cest jai nest quil mon
    ma mes comment pourquoi quel quelle où quand très bien fait faire peut peux votre leur leurs si
    y dun dune quest cela ça sil`,
  es: `el la los las de del y un una es no que en para por con se su sus al lo como más pero este
    esta estos está son ser hay yo tú mi mis me te le les cuando cómo qué dónde porque muy también
    puede puedo tengo quiero hacer sin sobre entre todo ya si unos unas desde hasta cuál`,
  it: `il lo la i gli le di del della dei e un una è non che in per con su si al alla da come più
    ma questo questa sono essere ho ha mi ti ci io tu quando perché dove molto anche può posso
    vorrei fare senza tra nel nella degli delle dal cosa quale se puoi mio mia sei`,
  pt: `o a os as de do da dos das e um uma é não que em para por com se seu sua ao à como mais mas
    este esta isso são ser há eu você meu minha me te quando porque onde muito também pode posso
    tenho quero fazer sem sobre entre tudo já no na nos nas pelo pela qual foi está`,
  nl: `de het een en van is niet dat die in op te voor met zijn er aan ook als bij naar om dan maar
    wat hoe waarom waar ik je jij hij zij wij we u mijn jouw dit deze kan kunnen heeft hebben was
    wordt worden nog wel geen uit over door of zou graag moet`,
  sv: `och att det som en på är av för med den till inte om ett har de jag du vi kan var så från men
    hur varför vad när min mitt din detta denna ska skulle också eller bara där här mycket får
    vill göra finns utan efter`,
  pl: `i w na z do się nie to jest że a o jak po co ale czy od za dla są być ma mam mi mnie ten ta
    te tego tej przez może można jestem dlaczego gdzie kiedy jaki jaka bardzo też tylko już bez
    pod przy oraz lub proszę chcę`,
  tr: `ve bir bu da de için ile ne var mı mi mu mü ben sen biz çok daha gibi ama nasıl neden nerede
    olan olarak değil ya en kadar sonra her şey bana beni benim olduğu yok lütfen istiyorum`,
  ru: `и в не на я что с по это как а то но он она мы вы к из у за от для же так бы его её их мне
    меня мой моя или если только уже где когда почему можно нужно есть был была быть все ещё очень
    при о до этот эта эти`,
  uk: `і в не на я що з по це як а то але він вона ми ви до із у за від для же так би його її їх
    мені мене мій моя або якщо тільки вже де коли чому можна потрібно є був була бути всі ще дуже
    при та цей ця ці`,
};
