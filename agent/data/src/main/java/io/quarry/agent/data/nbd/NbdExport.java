package io.quarry.agent.data.nbd;

import java.util.Map;

/**
 * The export that the server offers.
 *
 * @param size in bytes
 * @param contexts the agreed kinds of block status, by the number that the server uses for each
 */
record NbdExport(long size, int flags, Map<Integer, String> contexts) {
  NbdExport {
    contexts = Map.copyOf(contexts);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
