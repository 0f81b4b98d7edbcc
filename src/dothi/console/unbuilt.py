"""What `/` says while the console is not built."""

UNBUILT_PAGE = """<!doctype html>
<html lang="vi">
<meta charset="utf-8">
<title>dothi</title>
<style>
  body { font: 16px/1.6 "Noto Sans", system-ui, sans-serif; background: #d9dcdf; color: #1c2126;
         max-width: 42rem; margin: 12vh auto; padding: 0 1rem }
  pre { background: #e6e8ea; border: 1px solid #b3b9bf; padding: .7rem 1rem }
  @media (prefers-color-scheme: dark) {
    body { background: #1f2327; color: #e3e6e8 } pre { background: #272c31; border-color: #434b53 }
    a { color: #a9c0d1 } }
</style>
<h1>dothi</h1>
<p>Máy chủ đang chạy, nhưng giao diện chưa được dựng. Cài Node.js 20.19 trở lên, rồi chạy trong
thư mục mã nguồn:</p>
<p lang="en">The hub is running, but its console is not built. Install Node.js 20.19 or later,
then run in the source folder:</p>
<pre>cd console
npm ci
npm run build</pre>
<p>Sau đó tải lại trang này. <span lang="en">Then load this page again.</span></p>
<p>API: <a href="/api/openapi.json">/api/openapi.json</a>, <a href="/readyz">/readyz</a></p>
</html>
"""
