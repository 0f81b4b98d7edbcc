/** English words of the screen of subscriptions. */

import type { subscriptionsVi } from './strings.subscriptions.vi';

export const subscriptionsEn: typeof subscriptionsVi = {
  title_subscriptions: 'Subscriptions',
  subs_open: 'Subscriptions',
  subs_back: 'Data sources',
  subs_count: '{n} subscriptions',
  subs_none: 'Nobody has subscribed yet.',
  subs_none_hint:
    'Another system subscribes with POST /ngsi-ld/v1/subscriptions; when data change, dothi sends a notification to its address. The NGSI-LD guide has an example, step by step.',
  subs_name: 'Subscription',
  subs_endpoint: 'Receiver',
  subs_state: 'State',
  subs_success: 'Last success',
  subs_failure: 'Last failure',
  subs_waiting: 'Waiting',
  subs_sent: 'Notifications',
  subs_failed: 'Ever failed',
  subs_actions: 'Actions',
  subs_about: 'About: {about}',
  subs_never: 'never',
  subs_pause: 'Pause',
  subs_resume: 'Resume',
  subs_delete: 'Delete',
  subs_pause_of: 'Pause {id}',
  subs_resume_of: 'Resume {id}',
  subs_delete_of: 'Delete {id}',
  subs_delete_title: 'Delete a subscription',
  subs_delete_what: 'The receiver {endpoint} will hear no more. Notifications that wait for it ({n}) are deleted too.',
  subs_state_ok: 'delivers',
  subs_state_failed: 'fails',
  subs_state_down: 'receiver does not answer',
  subs_state_idle: 'nothing sent yet',
  subs_state_paused: 'paused',
  subs_state_expired: 'expired',
};
