//! Names and texts: words from identifiers, doc comments, and `ru("Title", "Sentence")`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use serde_json::{Map, Value as Json};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Ident, Lit, LitStr, Token, parenthesized};

/// The longest name of an action or an outcome, as `wit/0.1.0/action.wit` says.
const NAME_LEN_MAX: usize = 64;

/// A title, and a sentence that may be empty, in one language.
pub(crate) struct Words {
    pub(crate) language: String,
    pub(crate) title: String,
    pub(crate) sentence: String,
}

impl Parse for Words {
    /// `ru("Title")` or `ru("Title", "Sentence")`; `pt_br` is the tag `pt-br`.
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let language: Ident = input.parse()?;
        let content;
        parenthesized!(content in input);
        let texts = Punctuated::<LitStr, Token![,]>::parse_terminated(&content)?;
        let mut texts = texts.iter().map(LitStr::value);
        match (texts.next(), texts.next(), texts.next()) {
            (Some(title), sentence, None) if !title.is_empty() => Ok(Self {
                language: language.to_string().replace('_', "-"),
                title,
                sentence: sentence.unwrap_or_default(),
            }),
            _ => Err(syn::Error::new(language.span(), "expected (\"Title\") or (\"Title\", \"One sentence.\")")),
        }
    }
}

/// All texts of an item: English from its doc comment and name, the rest from `#[text(..)]`.
pub(crate) fn of_item(attributes: &[Attribute], name: &str) -> syn::Result<Vec<Words>> {
    let mut given = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("text")) {
        given.extend(attribute.parse_args_with(Punctuated::<Words, Token![,]>::parse_terminated)?);
    }
    complete(given, attributes, name)
}

/// Puts English first: its title from `en(..)` or the name, its sentence from `en(..)` or the doc comment.
pub(crate) fn complete(given: Vec<Words>, attributes: &[Attribute], name: &str) -> syn::Result<Vec<Words>> {
    let (english, others): (Vec<_>, Vec<_>) = given.into_iter().partition(|words| words.language == "en");
    let mut english = english.into_iter();
    let mut first =
        english.next().unwrap_or_else(|| Words { language: "en".into(), title: title(name), sentence: String::new() });
    if first.sentence.is_empty() {
        first.sentence = doc(attributes);
    }
    let mut all = vec![first];
    for words in english.chain(others) {
        if all.iter().any(|known| known.language == words.language) {
            let problem = format!("the language {} is given twice", words.language);
            return Err(syn::Error::new(Span::call_site(), problem));
        }
        all.push(words);
    }
    Ok(all)
}

/// The texts as a `&'static [Words]` of the SDK.
pub(crate) fn tokens(all: &[Words]) -> TokenStream {
    let entries = all.iter().map(|Words { language, title, sentence }| {
        quote!(::plugboard_sdk::macros::Words { language: #language, title: #title, sentence: #sentence })
    });
    quote!(&[#(#entries),*])
}

/// The texts as keywords of JSON Schema: English as `title` and `description`, other languages under `x-texts`.
pub(crate) fn keywords(all: &[Words]) -> Map<String, Json> {
    let (mut own, mut others) = (Map::new(), Map::new());
    for Words { language, title, sentence } in all {
        let mut entry = Map::new();
        entry.insert("title".into(), title.as_str().into());
        if !sentence.is_empty() {
            entry.insert("description".into(), sentence.as_str().into());
        }
        if language == "en" {
            own.append(&mut entry);
        } else {
            others.insert(language.clone(), entry.into());
        }
    }
    if !others.is_empty() {
        own.insert("x-texts".into(), others.into());
    }
    own
}

/// Members of a JSON object without its braces, with a comma before the first.
pub(crate) fn members(keywords: &Map<String, Json>) -> String {
    let object = serde_json::Value::from(keywords.clone()).to_string();
    match object.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(members) if !members.is_empty() => [",", members].concat(),
        Some(_) | None => String::new(),
    }
}

/// `NoAnswer` and `no_answer` become `no-answer`.
pub(crate) fn kebab(ident: &Ident) -> syn::Result<String> {
    let text = ident.to_string();
    let mut name = String::new();
    for (place, c) in text.trim_start_matches("r#").chars().enumerate() {
        match c {
            'A'..='Z' => {
                if place > 0 {
                    name.push('-');
                }
                name.push(c.to_ascii_lowercase());
            }
            '_' => name.push('-'),
            c => name.push(c),
        }
    }
    check_name(&name, ident.span())?;
    Ok(name)
}

/// Refuses what the switch would refuse when the component is installed.
pub(crate) fn check_name(name: &str, span: Span) -> syn::Result<()> {
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-');
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.chars().all(allowed) {
        return Err(syn::Error::new(span, format!("`{name}` is no name: 1 to 64 of a-z 0-9 -")));
    }
    Ok(())
}

/// The doc comment's first paragraph as one line.
fn doc(attributes: &[Attribute]) -> String {
    let mut paragraph: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("doc")) {
        let Ok(pair) = attribute.meta.require_name_value() else { continue };
        let Expr::Lit(literal) = &pair.value else { continue };
        let Lit::Str(line) = &literal.lit else { continue };
        let line = line.value().trim().to_owned();
        if line.is_empty() && !paragraph.is_empty() {
            break;
        }
        if !line.is_empty() {
            paragraph.push(line);
        }
    }
    paragraph.join(" ")
}

/// `ring-for` and `ring_for` become `Ring for`.
fn title(name: &str) -> String {
    let spaced = name.replace(['-', '_'], " ");
    let mut chars = spaced.chars();
    chars.next().map(|first| first.to_ascii_uppercase().to_string() + chars.as_str()).unwrap_or_default()
}
