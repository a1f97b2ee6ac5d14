package io.quarry.agent.data.nbd;

import java.util.Map;

/**
 * What the server offers.
 *
 * @param size in bytes
 * @param contexts the agreed kinds of block status, by the number the server uses for each
 */
record NbdExport(long size, int flags, Map<Integer, String> contexts) {
  NbdExport {
    contexts = Map.copyOf(contexts);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
