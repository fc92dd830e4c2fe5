/** Pictures on the page's buttons, as paths in a square of 16. */
export const icons = {
  play: 'M4 2.5v11l9-5.5z',
  pause: 'M4 3h3v10H4zM9 3h3v10H9z',
  stop: 'M3.5 3.5h9v9h-9z',
  previous: 'M11 3v10L5 8z',
  next: 'M5 3v10l6-5z',
  previousRecorded: 'M13 3v10L7 8zM5.5 3v10h-1.5V3z',
  nextRecorded: 'M3 3v10l6-5zM10.5 3v10H12V3z',
  first: 'M13 3v10L8 8zM8 3v10L3 8zM2.5 3v10H1.5V3z',
  last: 'M3 3v10l5-5zM8 3v10l5-5zM13.5 3v10h1V3z',
  pin: 'M10 1l5 5-1 1-.6-.6-3 3 .3 2.4-1.2 1.2-3-3-4 4L1.500 14l.5-1 4-4-3-3 1.200-1.200 2.400.3 3-3L9 2z',
  save: 'M7.300 1.500h1.400v7l2.600-2.600 1 1L8 11.200 3.700 6.900l1-1 2.600 2.600zM2.500 12.500h11V14h-11z',
  add: 'M7.300 3h1.400v4.300H13v1.400H8.700V13H7.300V8.700H3V7.300h4.300z',
  close: 'M4 3l4 4 4-4 1 1-4 4 4 4-1 1-4-4-4 4-1-1 4-4-4-4z',
  lock: 'M5 7V5a3 3 0 0 1 6 0v2h1v6.500H4V7zm1.300 0h3.400V5a1.700 1.700 0 0 0-3.400 0z',
  unlock: 'M5 7V4.500a3 3 0 0 1 5.800-1l-1.300.5A1.700 1.700 0 0 0 6.300 4.500V7H12v6.500H4V7z',
  again:
    'M8 2.500a5.500 5.500 0 1 0 5.300 7h-1.500A4.100 4.100 0 1 1 8 3.900c1.100 0 2.100.4 2.800 1.100L9 6.800h5V1.800L11.900 3.900A5.500 5.500 0 0 0 8 2.500z',
  chevron: 'M5.500 3l5 5-5 5-1-1 4-4-4-4z',
  warning: 'M8 1.500l7 12.500H1zM7.300 6v4h1.400V6zm0 5v1.500h1.400V11z',
} as const;
