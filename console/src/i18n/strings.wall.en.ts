/** Words of the wall overview. */

import type { wallVi } from './strings.wall.vi';

export const wallEn: Record<keyof typeof wallVi, string> = {
  nav_wall: 'Overview',
  title_wall: 'Wall overview',
  wall_alarms: 'Alarms',
  wall_waiting: '{count} to acknowledge',
  wall_no_alarms: 'No alarms',
  wall_all_domains: 'All',
  wall_incidents: 'Open incidents',
  wall_no_incidents: 'No incidents',
  wall_more: 'and {count} more',
  wall_overdue: '{count} steps overdue',
  wall_duty: 'On duty',
  wall_no_duty: 'Nobody has taken over',
  wall_leave: 'Open the working screens',
  wall_band: 'normal {low} to {high}',
  wall_band_how: '5th to 95th percentile of 7 days',
  wall_no_band: 'No normal band yet',
  wall_above: '{count} above normal',
  wall_below: '{count} below normal',
  wall_within: 'normal',
  wall_of: '{fresh}/{all} stations fresh',
  domain_air: 'Air',
  domain_water: 'Water',
  domain_rain: 'Rain',
  domain_weather: 'Weather',
  domain_device: 'Devices',
  domain_other: 'Other',
  wall_simulated: 'Replayed or simulated values',
};
