package io.quarry.common.api;

import java.util.List;

/**
 * @param openIds of the ended opens; none in the answer to a repeated call
 * @param more whether others are to end as well: call again
 * @param kept how many opens of the host stay, because nothing shows that their users have ended
 * @param commit that the repository's log has come to
 */
public record ClosedOpens(List<String> openIds, boolean more, int kept, long commit) {
  public ClosedOpens {
    openIds = List.copyOf(openIds);
  }
}
