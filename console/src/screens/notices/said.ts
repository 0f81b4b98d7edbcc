/** What channels and receivers said, in the language of the reader. It is stored in English, as
 * protocols speak; phrases of our own stand here, what a receiver itself wrote stays as it is. */

import { settings } from '../../state/settings.svelte';

/** tests/unit/notify/test_said.py holds them against what the channels can say. */
const VI: [RegExp, string][] = [
  [/^given up: nobody was on duty who can be reached$/, 'thôi gửi: không có người trực nào liên lạc được'],
  [/^nobody is on duty who can be reached$/, 'không có người trực nào liên lạc được'],
  [/^nobody wants to be told of such things$/, 'không ai đăng ký nhận loại tin này'],
  [/^no channel is set up: see \[notices\] in dothi\.toml$/, 'chưa cấu hình kênh nào: xem mục [notices] trong dothi.toml'],
  [/^the egress policy forbids (.*); open it with (.*)$/, 'chính sách mạng không cho gọi $1; mở ở $2'],
  [/^nobody answered, and nobody is left to tell$/, 'không ai trả lời, và không còn ai để báo'],
  [/^summed up in (.*)$/, 'gộp vào một thông báo chung'],
  [/^not connected yet$/, 'chưa kết nối được'],
  [/^kept, not sent$/, 'giữ lại, không gửi'],
  [/^the channel is not set up$/, 'kênh này chưa được cấu hình'],
  [/^a defect: (.*)$/, 'lỗi của chương trình: $1'],
  [/^taken by the centre$/, 'trung tâm nhắn tin đã nhận'],
  [/^taken by the broker$/, 'máy chủ MQTT đã nhận'],
  [/^the message centre refuses it \((.*)\)$/, 'trung tâm nhắn tin từ chối ($1)'],
  [/^the message centre closed the connection$/, 'trung tâm nhắn tin đã ngắt kết nối'],
  [/^no answer from the message centre$/, 'trung tâm nhắn tin không trả lời'],
  [/^no answer within (\S+) s$/, 'không trả lời trong $1 giây'],
  [/^answered with status (\d+)$/, 'trả lời với mã $1'],
  [/^status (\d+)$/, 'mã trả lời $1'],
  [/^status (\d+): (.*)$/s, 'mã trả lời $1: $2'],
  [/^the address is no telephone number$/, 'địa chỉ không phải số điện thoại'],
  [/^the address is no http or https URL$/, 'địa chỉ không phải URL http hoặc https'],
  [/^the address is no name of a topic$/, 'địa chỉ không phải tên topic MQTT'],
  [/^the address cannot be used$/, 'không dùng được địa chỉ này'],
  [/^the certificate is not trusted: (.*)$/, 'chứng chỉ không đáng tin: $1'],
  [/^the browser's keys cannot be used: (.*)$/, 'không dùng được khóa của trình duyệt: $1'],
  [/^the browser is no longer registered$/, 'trình duyệt không còn đăng ký nhận tin'],
  [/^the push service refuses our key \(status (\d+)\)$/, 'dịch vụ đẩy tin không chấp nhận khóa của ta (mã $1)'],
  [/^the server does not accept user and password \((\d+)\)$/, 'máy chủ thư không chấp nhận tên và mật khẩu ($1)'],
  [/^the server refuses \((\d+)\)$/, 'máy chủ thư từ chối ($1)'],
  // Of the operating system, as it words them.
  [/^Connection refused$/, 'máy nhận từ chối kết nối'],
  [/^Connection reset by peer$/, 'máy nhận ngắt kết nối'],
  [/^Connection timed out$/, 'hết giờ chờ kết nối'],
  [/^Network is unreachable$/, 'không có đường mạng tới máy nhận'],
  [/^No route to host$/, 'không có đường mạng tới máy nhận'],
  [/^Broken pipe$/, 'kết nối bị đứt'],
  [/^(Name or service not known|Temporary failure in name resolution)$/, 'không tìm thấy tên máy nhận'],
];

const GIVEN_UP = 'given up: ';

export function saidText(detail: string): string {
  if (settings.lang !== 'vi') return detail;
  const known = VI.find(([pattern]) => pattern.test(detail));
  if (known) return detail.replace(...known);
  return detail.startsWith(GIVEN_UP) ? `thôi gửi: ${saidText(detail.slice(GIVEN_UP.length))}` : detail;
}
