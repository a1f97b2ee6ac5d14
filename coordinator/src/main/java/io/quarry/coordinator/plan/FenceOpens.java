package io.quarry.coordinator.plan;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An administrator vouches that the users of these opens have ended, although nothing proves it.
 * The request's name in the log tells the end from a close by the user.
 *
 * @param hostId the host of the opens; an open of another host stays
 */
public record FenceOpens(String hostId, List<String> openIds) implements Request {
  /** The most opens of one record. */
  public static final int OPENS_MAX = EndDeadOpens.OPENS_MAX;

  public FenceOpens(String hostId, @Nullable List<String> openIds) {
    this.hostId = Checked.name("hostId", hostId);
    this.openIds = Checked.openIds(openIds, OPENS_MAX);
  }

  @Override
  public String answeredWith() {
    return hostId;
  }

  @Override
  public Reply plan(Transaction transaction) {
    for (String openId : openIds) {
      Open open = transaction.state().opens().get(openId);
      if (open != null && open.hostId().equals(hostId)) {
        transaction.close(open);
      }
    }
    return transaction.reply(this, hostId);
  }

  @Override
  public boolean freesSpace() {
    return true;
  }
}
