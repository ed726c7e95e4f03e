// Words as the index has them (search_words.py): without accents, however they are typed.
const plainLetters = "LETTERS";
const plain = text => text.normalize("NFKD").replace(/[\p{Mn}\p{Cf}]/gu, "")
  .replace(/[^\0-\x7f]/g, sign => plainLetters[sign] ?? sign);

var splitQuery = query => plain(query)
  .split(/[^\p{Letter}\p{Number}_\p{Emoji_Presentation}]+/gu).filter(term => term);

// A word whose stem is left out, as "one" has "on", stays as it is.
const PlainStemmer = Stemmer;
Stemmer = function () {
  const plainStemmer = new PlainStemmer();
  this.stemWord = word => {
    const stem = plainStemmer.stemWord(word);
    return stopwords.includes(stem) ? word : stem;
  };
};

// What is shown below a hit, and marked on its page, is spelled as there.
if (typeof Search !== "undefined") {
  const summary = Search.makeSearchSummary;
  const spelled = new Set();
  Search.makeSearchSummary = (page, words, anchor) => {
    const there = Search.htmlToText(page, anchor).match(/[\p{L}\p{M}\p{N}_]+/gu) ?? [];
    const first = word => there.find(each => plain(each).toLowerCase().startsWith(word));
    const found = [...words].map(word => first(word)?.toLowerCase() ?? word);
    found.filter(word => /[^\0-\x7f]/.test(word)).forEach(word => spelled.add(word));
    try {
      const kept = "sphinx_highlight_terms";
      const marked = (localStorage.getItem(kept) ?? "").split(" ");
      localStorage.setItem(kept, [...new Set([...marked, ...spelled])].join(" ").trim());
    } catch { /* no room: then nothing is marked */ }
    return summary(page, found, anchor);
  };
}
