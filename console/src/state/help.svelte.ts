/** Whether the list of keys is shown: asked for by a key or from the settings. */

class Help {
  isOpen = $state(false);
}

export const help = new Help();
