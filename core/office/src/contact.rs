//! People outside whom the office knows.

use crate::{Office, Spelled};
use plugboard_model::{ContactId, Dialled, DirectoryContact, GatewayId, KnownContact, Name, Responsible, UserId};

/// Somebody outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Which.
    pub id: Name,
    /// For people.
    pub name: String,
    /// His numbers.
    pub numbers: Vec<Dialled>,
    /// His language (BCP 47).
    pub language: Option<String>,
    /// Where he works.
    pub company: Option<String>,
    /// Where he is written to.
    pub email: Option<String>,
    /// What the office files him under.
    pub groups: Vec<Name>,
    /// Users who are responsible for him, the first one first.
    pub responsible: Vec<Name>,
}

impl Office {
    /// The contact with this number, however it is written. The place where a store of contacts is to be asked.
    pub(crate) fn contact_of(&self, number: &Spelled) -> Option<&Contact> {
        let spellings = [number.e164.as_deref(), Some(number.written.as_str())];
        let found = spellings.into_iter().flatten().find_map(|text| self.contact_numbers.get(text))?;
        self.contacts.get(found)
    }

    /// The contact with this number, in whichever of [`Office::forms`] it is written, also behind the prefix of an outside line.
    pub fn find_contact(&self, number: &str) -> Option<&Contact> {
        let known = |number: &str| self.forms(number).into_iter().find_map(|form| self.contact_numbers.get(&form));
        let behind = || self.dialled_in_front().iter().find_map(|line| known(number.strip_prefix(line.as_str())?));
        self.contacts.get(known(number).or_else(behind)?)
    }

    /// The contact who calls through this gateway, by the number that it shows: nobody has dialled anything in front of that.
    pub fn find_caller(&self, gateway: &GatewayId, number: &str) -> Option<&Contact> {
        let dialled = Dialled::new(number).ok();
        let through = self.gateway(gateway);
        let e164 = dialled.and_then(|number| self.e164_of(through?, &number)).map(String::from);
        let spelled = Spelled { written: number.to_owned(), e164 };
        let known = || self.plain_forms(number).into_iter().find_map(|form| self.contact_numbers.get(&form));
        self.contact_of(&spelled).or_else(|| self.contacts.get(known()?))
    }

    /// A contact by id.
    pub fn contact(&self, id: &str) -> Option<&Contact> {
        self.contacts.get(&Name::new(id).ok()?)
    }

    /// Every contact, by id.
    pub fn contacts(&self) -> impl ExactSizeIterator<Item = &Contact> {
        self.contacts.values()
    }

    /// A contact as variables hold him.
    pub fn known_contact(&self, contact: &Contact) -> KnownContact {
        let DirectoryContact { id, name, company, email, language, groups, .. } = self.to_directory_contact(contact);
        KnownContact { id: ContactId { office: self.id.clone(), name: id }, name, company, email, language, groups }
    }

    /// A contact as actions see him.
    pub fn to_directory_contact(&self, contact: &Contact) -> DirectoryContact {
        let responsible = |name: &Name| {
            let user = self.users.get(name)?;
            let phones = u32::try_from(user.phones.len()).unwrap_or(u32::MAX);
            Some(Responsible { user: UserId { office: self.id.clone(), name: name.clone() }, phones })
        };
        DirectoryContact {
            id: contact.id.clone(),
            name: contact.name.clone(),
            numbers: contact.numbers.iter().map(|number| number.as_str().to_owned()).collect(),
            company: contact.company.clone().unwrap_or_default(),
            email: contact.email.clone().unwrap_or_default(),
            language: contact.language.clone().unwrap_or_else(|| self.language.clone()),
            groups: contact.groups.iter().map(ToString::to_string).collect(),
            responsible: contact.responsible.iter().filter_map(responsible).collect(),
        }
    }
}
