//! Records of a CSV file. A field may be in quotes, and have commas and line ends in them then.

pub fn records(text: &str) -> impl Iterator<Item = Vec<String>> + '_ {
    let mut characters = text.chars().peekable();
    std::iter::from_fn(move || {
        let mut record = Vec::new();
        let mut field = String::new();
        let mut quoted = false;
        characters.peek()?;
        while let Some(character) = characters.next() {
            match character {
                '"' if quoted && characters.peek() == Some(&'"') => {
                    characters.next();
                    field.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => record.push(std::mem::take(&mut field)),
                '\n' if !quoted => break,
                '\r' if !quoted => {}
                _ => field.push(character),
            }
        }
        record.push(field);
        Some(record)
    })
}
