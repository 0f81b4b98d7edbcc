/** What the hub finds wrong in a filter, in Vietnamese; its own words are English. */

/** Pattern of the hub's words -> ours; $1 is what the pattern holds. */
export const FAULTS_VI: readonly (readonly [RegExp, string])[] = [
  [/^a value is missing: .*$/, 'thiếu giá trị: số, "chữ", true, false, thời điểm hoặc URI'],
  [/^an operator .* is missing$/, 'thiếu phép so sánh (==, !=, >, …) hoặc dấu nối (; hay |)'],
  [/^the name of an attribute is missing$/, 'thiếu tên thuộc tính'],
  [/^the name of a sub-attribute is missing$/, 'thiếu tên thuộc tính con'],
  [/^the name of a member is missing$/, 'thiếu tên thành phần'],
  [/^(?:'|")([^\w\s]{1,2})(?:'|") is missing$/, 'thiếu $1'],
  [/^the closing quote of a string is missing$/, 'thiếu dấu " đóng'],
  [/^true and false have no order; .*$/, 'true và false không so lớn bé; dùng == hoặc !='],
  [/^both ends of a range must be .*$/, 'hai đầu của khoảng phải là số, thời điểm hoặc chữ'],
  [/^a pattern is missing$/, 'thiếu mẫu'],
  [/^the pattern is wrong \((.*)\)$/, 'mẫu sai ($1)'],
  [/^the number is too large$/, 'số quá lớn'],
  [/^the time is wrong \(.*\)$/, 'thời điểm sai'],
  [/^parentheses are nested more than (\d+) deep$/, 'ngoặc lồng quá $1 lớp'],
  [/^the text is longer than (\d+) characters$/, 'dài quá $1 ký tự'],
  [/^only the name of a Relationship leads .*$/, 'chỉ quan hệ mới dẫn tới thực thể khác'],
  [/^',', '\|' or ';' is missing$/, 'thiếu dấu , | hoặc ;'],
  [/^the level of a scope .* is missing$/, 'thiếu một cấp của phạm vi (tên, hoặc +)'],
  [/^(['"])(.*)\1 is not a URI such as (.*)$/, '“$2” không phải URI như $3'],
];
