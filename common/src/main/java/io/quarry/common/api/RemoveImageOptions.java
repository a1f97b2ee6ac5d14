package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Duration;

/**
 * @param autoFix whether cleaning is queued as soon as nothing depends on the image
 * @param retain how long cleaning waits, so that the removal can be undone
 * @param force whether to remove a disk that a VM has open for writing; its data goes at the close.
 *     Clients leave false out: older agents do not know the field
 */
public record RemoveImageOptions(
    boolean autoFix, Duration retain, @JsonInclude(JsonInclude.Include.NON_DEFAULT) boolean force) {
  public static final RemoveImageOptions DEFAULT =
      new RemoveImageOptions(true, Duration.ZERO, false);

  /** Refused while a VM has the image open for writing. */
  public RemoveImageOptions(boolean autoFix, Duration retain) {
    this(autoFix, retain, false);
  }
}
