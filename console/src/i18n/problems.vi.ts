/** Refusals of the hub in Vietnamese, by their stable code; in English the hub says them itself. */

/** What, how to mend it, and whether the hub's own detail (English) stands behind it. */
type Said = readonly [what: string, remedy?: string, isDetailed?: boolean];

const AGAIN = 'Tải lại, xem điều gì đã đổi rồi quyết định.';
const SHORT = 'Ghi vài chữ cho biết vì sao.';

export const PROBLEMS_VI: Readonly<Record<string, Said>> = {
  // Signing in, asking, the hub itself.
  not_signed_in: ['Chưa đăng nhập', 'Mở liên kết đăng nhập; quản trị cấp liên kết mới.'],
  forbidden: ['Bạn không có quyền làm việc này', 'Quyền đi theo vị trí; hãy hỏi quản trị.'],
  foreign_origin: ['Yêu cầu đến từ một trang khác', 'Mở giao diện bằng đúng địa chỉ của máy chủ.'],
  foreign_host: ['Máy chủ không mang tên này', 'Mở bằng http://127.0.0.1 hoặc http://localhost.'],
  bad_token: ['Mã truy cập của thiết bị không dùng được', 'Tạo mã mới cho nguồn này.'],
  not_found: ['Không có gì ở đây'],
  method_not_allowed: ['Không làm được việc này ở đây', '', true],
  parameter_invalid: ['Tham số chưa đúng', '', true],
  parameter_unknown: ['Tham số lạ', '', true],
  body_invalid: ['Nội dung gửi lên chưa đúng', '', true],
  body_too_large: ['Nội dung gửi lên quá lớn', 'Chia nhỏ rồi gửi lại.', true],
  idempotency_key: ['Khóa chống gửi lặp không dùng được', '', true],
  overloaded: ['Máy chủ đang bận', 'Chờ một lát rồi thử lại.'],
  store_unavailable: [
    'Máy chủ tạm thời không ghi được; chưa có gì được lưu',
    'Thử lại sau; `dothi doctor` trên máy chủ cho biết vì sao.',
    true,
  ],
  internal_error: ['Máy chủ gặp lỗi', 'Báo mã lỗi này cho quản trị.', true],
  live_stopped: ['Máy chủ đang khởi động hoặc đang dừng', 'Chờ một lát rồi thử lại.'],
  range_empty: ['Khoảng thời gian trống', 'Thời điểm đầu phải trước thời điểm cuối.'],
  span_invalid: ['Khoảng thời gian chưa đúng', 'Thời điểm cuối phải sau thời điểm đầu.'],
  export_too_large: ['Quá nhiều cho một tệp', 'Chọn khoảng thời gian ngắn hơn.', true],
  file_too_large: ['Tệp quá lớn', '', true],
  file_empty: ['Tệp trống'],
  file_kind: ['Loại tệp này không kèm được vào bản tin', 'Lưu thành ảnh (PNG, JPEG, WebP) hoặc PDF.'],
  file_not_found: ['Không có tệp này'],
  reason_missing: ['Chưa có lý do', SHORT],
  reason_needed: ['Chưa có lý do', SHORT, true],
  text_missing: ['Chưa có nội dung', 'Ghi vài chữ: báo cáo sẽ trích nguyên văn.'],

  // Data and its sources.
  entity_not_found: ['Không có thực thể này'],
  source_not_found: ['Không có nguồn này'],
  source_exists: ['Đã có nguồn mang mã này', 'Chọn mã khác.'],
  bad_source_id: ['Mã nguồn không dùng được', 'Dùng chữ không dấu, số và các dấu - _ .'],

  // Rules and dated limits.
  bad_rule: ['Luật chưa dùng được', '', true],
  rule_unknown: ['Không có luật này'],
  rule_approved: ['Bản này đã được duyệt', 'Muốn thay đổi thì soạn bản mới.'],
  rule_own: ['Bạn đã soạn bản này; người khác phải duyệt', 'Nhờ một người có quyền duyệt luật.'],
  limit_own: [
    'Bạn đã nhập số này; người khác phải đối chiếu',
    'Nhờ một người có quyền duyệt luật đối chiếu với văn bản.',
  ],
  limit_unknown: ['Không có ngưỡng này', '', true],
  limit_known: [
    'Đã có số của mức này từ ngày ấy',
    'Nếu số cũ sai: chấm dứt nó vào chính ngày bắt đầu, rồi nhập số đúng.',
    true,
  ],
  limit_overlaps: ['Trùng thời gian với một số khác', 'Đổi ngày bắt đầu hoặc ngày chấm dứt.', true],
  limit_overwritten: ['Các số đã có sẽ bị sửa hoặc mất', 'Giữ nguyên chúng; muốn thôi dùng thì chấm dứt.', true],
  limit_incomplete: ['Còn thiếu hoặc chưa đúng', '', true],
  limit_ends: ['Ngày chấm dứt chưa đúng', '', true],
  limit_table_unknown: ['Không có bảng ngưỡng này'],
  limit_table_known: ['Đã có bảng ngưỡng mang tên này', 'Thêm số vào bảng ấy, hoặc chọn tên khác.'],

  // Alarms.
  alarm_unknown: ['Không có cảnh báo này'],
  alarm_not_seen: [
    'Cảnh báo đã nổi lại sau khi hiện trên màn hình của bạn',
    'Xem lại rồi xác nhận điều nó báo lúc này.',
  ],
  alarm_shelved: ['Cảnh báo đã được tạm gác', 'Bỏ tạm gác trước.'],
  alarm_not_shelved: ['Cảnh báo không bị tạm gác'],
  alarm_not_latched: ['Cảnh báo không bị giữ', 'Chỉ đặt lại được cảnh báo đã hết, đã xác nhận và có luật giữ.'],
  shelf_too_short: ['Tạm gác quá ngắn', 'Chọn từ 15 phút đến hết ca.', true],
  shelf_too_long: ['Tạm gác quá lâu', 'Chọn từ 15 phút đến hết ca.', true],
  suppression_incomplete: ['Còn thiếu thông tin', '', true],
  suppression_over: ['Thời điểm kết thúc đã qua', 'Chọn thời điểm muộn hơn.'],
  suppression_boundless: ['Như vậy sẽ chặn mọi cảnh báo', 'Chọn ít nhất một: luật, thực thể hoặc địa bàn.'],
  suppression_unknown: ['Lệnh chặn này không còn hiệu lực'],

  // Incidents and procedures.
  incident_not_found: ['Không có sự cố này'],
  incident_changed: ['Người khác vừa thay đổi sự cố', AGAIN, true],
  incident_closed: [
    'Sự cố đã đóng',
    'Mở sự cố mới và liên kết với sự cố này; chi phí, bài học và sửa mục cũ vẫn ghi được.',
  ],
  incident_not_done: ['Còn việc chưa xong', 'Làm xong, hoặc bỏ kèm lý do; rồi đóng.', true],
  state_not_possible: ['Sự cố không chuyển sang trạng thái ấy được', '', true],
  version_missing: ['Không rõ bạn đã xem bản nào', 'Tải lại màn hình.'],
  version_wrong: ['Không rõ bạn đã xem bản nào', 'Tải lại màn hình.'],
  subject_wrong: ['Không liên kết được', '', true],
  link_not_found: ['Không có liên kết này'],
  entry_wrong: ['Chưa ghi được mục này', '', true],
  task_not_found: ['Không có nhiệm vụ này'],
  task_changed: ['Người khác vừa thay đổi nhiệm vụ', AGAIN],
  answer_wrong: ['Câu trả lời chưa đúng', '', true],
  step_action_not_possible: ['Không làm được việc này với bước', '', true],
  step_not_open: ['Bước này chưa đến'],
  step_changed: ['Người khác đã làm trước', 'Tải lại và xem điều đã ghi.', true],
  run_not_found: ['Sự cố không có quy trình này'],
  run_over: ['Quy trình đã kết thúc', 'Nếu cần thì bắt đầu lại.'],
  procedure_runs: ['Quy trình này đang chạy ở sự cố', 'Làm tiếp, hoặc dừng nó kèm lý do.'],
  procedure_not_found: ['Không có quy trình này'],
  procedure_not_approved: [
    'Phiên bản này còn là bản nháp',
    'Người khác với người soạn phê duyệt ở màn hình Quy trình.',
  ],
  procedure_approved: ['Phiên bản này đã được phê duyệt'],
  procedure_own_draft: [
    'Bạn đã soạn phiên bản này; người khác phải phê duyệt',
    'Nhờ một người có quyền duyệt luật.',
  ],
  procedure_version_taken: [
    'Đã có phiên bản mang số này với nội dung khác',
    'Tăng số phiên bản: lượt đang chạy giữ bản cũ.',
  ],
  procedure_version_missing: ['Thiếu phiên bản của quy trình đang chạy', 'Khôi phục từ bản sao lưu.', true],
  procedure_file_wrong: ['Không đọc được quy trình', '', true],
  calendar_without_working_days: ['Lịch làm việc không có ngày nào để tính hạn', 'Báo quản trị xem lại tệp lịch.'],

  // Public warnings.
  warning_not_found: ['Không có bản tin này'],
  warning_state: ['Không làm được ở trạng thái này', AGAIN],
  warning_version: ['Người khác đã làm trước', AGAIN],
  warning_busy: ['Đang có bản tin soạn dở', 'Phát hoặc bỏ bản tin ấy trước.'],
  warning_not_fit: ['Bản tin còn lỗi', 'Sửa các lỗi nêu ở mục kiểm tra.'],
  subject_not_found: ['Không có cảnh báo hoặc sự cố để soạn bản tin'],
  release_not_submitted: ['Bản tin chưa được gửi duyệt'],
  release_only_one_person: [
    'Ngoài người soạn và người gửi, trung tâm không có ai khác',
    'Thêm người ở màn hình Nhân sự.',
  ],
  release_not_a_person: ['Người gửi duyệt và người phát phải đăng nhập bằng tên của mình'],
  release_own_text: ['Bạn đã soạn bản tin này; người khác phải xem lại và phát'],
  release_own_submission: ['Bạn đã gửi duyệt bản tin này; người khác phải xem lại và phát'],
  answer_refused: ['Không trả lời được bản tin này', 'Xem các trả lời bên dưới bản tin.', true],
  sender_unconfigured: ['Chưa khai báo cơ quan gửi', 'Quản trị đặt `sender` trong mục [warnings] của dothi.toml.'],

  // People, shifts, notices.
  person_exists: ['Mã này đã có người dùng, có thể là người đã nghỉ', 'Chọn mã khác.'],
  person_invalid: ['Thông tin của người này chưa đúng', '', true],
  person_not_found: ['Không có người này, hoặc đã nghỉ'],
  own_positions: ['Không ai tự đổi vị trí của chính mình', 'Nhờ quản trị khác.'],
  position_not_held: ['Người này không giữ vị trí ấy', 'Quản trị giao vị trí ở màn hình Nhân sự.'],
  position_unknown: ['Không có vị trí này'],
  roster_invalid: ['Chưa lập được lịch trực', '', true],
  shift_overlaps: ['Một người bị xếp hai ca cùng lúc', 'Chọn người khác, hoặc bỏ ca kia trước.', true],
  shift_not_found: ['Không có ca này'],
  absence_not_found: ['Không có lần vắng này'],
  duty_not_found: ['Lúc này không ai đang trực ca ấy'],
  duty_taken: ['Vị trí đã có người nhận'],
  handover_not_found: ['Không có biên bản bàn giao này'],
  handover_conflict: ['Biên bản không đổi như vậy được', AGAIN],
  notice_not_found: ['Không có tin này, hoặc đã quá cũ'],
  no_such_recipient: [
    'Bạn không có tên trong danh sách nhân sự',
    'Quản trị thêm bạn ở màn hình Nhân sự; rồi đăng nhập bằng liên kết của mình.',
  ],
  channel_unknown: ['Kênh này chưa được khai báo'],
  quiet_hours_wrong: ['Giờ yên lặng chưa đúng', 'Đặt giờ kết thúc khác giờ bắt đầu.'],
  web_push_off: ['Thông báo đẩy chưa bật', 'Quản trị khai báo [notices.web_push] trong dothi.toml.'],
};
