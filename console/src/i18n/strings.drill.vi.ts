/** Words about drills. */

export const drillVi = {
  drill: 'Diễn tập',
  drill_fenced: 'Không có gì được gửi ra ngoài',
  drill_clock: '{elapsed} / {duration} · {speed}×',
  drill_over: 'Kịch bản đã kết thúc',
  drill_simulated: 'Số liệu mô phỏng',
  drill_replayed: 'Số liệu phát lại',
  drill_calls: 'Tin báo ({count})',
  drill_no_calls: 'Chưa có tin báo nào.',
  drill_refused: 'Đã chặn {count} lần gửi ra ngoài',
};
