package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * Somebody has an image open.
 *
 * @param hostId on which it is used; for an upload, the host that took its beginning
 * @param owner who has it open, for people to read
 * @param bootId of the host's kernel at the time; null when it is not known
 * @param upload for uploads only
 */
public record OpenInfo(
    String openId,
    String imageId,
    Use use,
    State state,
    String hostId,
    @Nullable String owner,
    boolean readOnly,
    Instant since,
    @Nullable String bootId,
    @Nullable Upload upload) {

  /** What it is open for. */
  public enum Use {
    /** A virtual machine, or another process that the caller knows. */
    @JsonProperty("machine")
    MACHINE("machine"),
    /** A caller sends the image's content. */
    @JsonProperty("upload")
    UPLOAD("upload"),
    /** An agent reads the image for a caller. */
    @JsonProperty("download")
    DOWNLOAD("download");

    private final String label;

    Use(String label) {
      this.label = label;
    }

    /** As people read it. */
    public String label() {
      return label;
    }
  }

  /** What speaks against its user's life. */
  public enum State {
    /** Nothing does. */
    @JsonProperty("inUse")
    IN_USE("in use"),
    /** Its host is not live. */
    @JsonProperty("hostAbsent")
    HOST_ABSENT("host absent"),
    /** Its host runs in a later boot. The host ends the open where it has the repository. */
    @JsonProperty("hostRebooted")
    HOST_REBOOTED("host rebooted"),
    /** The live host of that name is another machine, or was set up anew. */
    @JsonProperty("hostDiffers")
    HOST_DIFFERS("host differs"),
    /** Nothing is known of its boot, and its host has booted since. */
    @JsonProperty("olderThanBoot")
    OLDER_THAN_BOOT("older than boot"),
    /** An upload that has received nothing for long. */
    @JsonProperty("idle")
    IDLE("idle");

    private final String label;

    State(String label) {
      this.label = label;
    }

    /** As people read it. */
    public String label() {
      return label;
    }
  }

  /**
   * How long an upload may still wait for its caller.
   *
   * @param activeAt when it last received something or was converted
   * @param endsAt when it ends by itself, unless its caller goes on
   */
  public record Upload(Instant activeAt, Duration idleTimeout, Instant endsAt) {}
}
