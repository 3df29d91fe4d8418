/** Words that turn a phrase behind them into its opposite, a doubt or a condition. */
export const NEGATIONS =
  `not no dont doesnt didnt isnt arent wasnt never cant cannot couldnt hardly if unless whether
  nicht kein keine nie niemals ob wenn falls pas jamais non si nunca jamás tampoco sin não nem
  niet geen nooit als inte aldrig om nie nigdy jeśli değil asla eğer не нет ни никогда если ні
  якщо why warum pourquoi porque perché waarom dlaczego neden почему think thought`.split(/\s+/);

/** What takes praise back: `thanks, but …`. */
export const CONTRASTS =
  `but however although though except unfortunately still yet aber jedoch trotzdem leider allerdings
  mais cependant malheureusement pero sin embargo aunque lamentablemente ma però purtroppo mas
  porém infelizmente maar echter helaas men dock tyvärr ale jednak niestety ama fakat maalesef но
  однако але 但 但是 不过 可是 でも しかし 하지만 그런데 لكن`.split(/\s+/);
