package io.quarry.common.api;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * A finding of {@code check} that no fix puts right by itself.
 *
 * @param imageId the affected image; null when there is none
 * @param subject the file, the pin, the open or the image
 * @param reason what is wrong, or what waits for what
 * @param remedy what an operator can do
 */
public record Problem(
    Kind kind, @Nullable String imageId, String subject, String reason, String remedy) {

  /** The kind of a problem. */
  public enum Kind {
    /** A volume is whole by the log, but its file is missing or too short. */
    @JsonProperty("missingVolume")
    MISSING_VOLUME("missing volume"),
    /** The file of a frozen volume has changed since the freeze. */
    @JsonProperty("changedVolume")
    CHANGED_VOLUME("changed volume"),
    /** A process writes to a volume without an open. */
    @JsonProperty("foreignWriter")
    FOREIGN_WRITER("foreign writer"),
    /** The agent's user may not use a volume's file, or not change its mode. */
    @JsonProperty("forbiddenVolume")
    FORBIDDEN_VOLUME("forbidden volume"),
    /** The file of a disk has another size than the log says. */
    @JsonProperty("sizeDiffers")
    SIZE_DIFFERS("size differs"),
    /** A deep check found that a volume's file cannot be read or contradicts itself. */
    @JsonProperty("damagedVolume")
    DAMAGED_VOLUME("damaged volume"),
    /** A difference waits for its base. */
    @JsonProperty("missingBase")
    MISSING_BASE("missing base"),
    /** A fix could improve an image, but waits for the image's users. */
    @JsonProperty("inUse")
    IN_USE("in use"),
    /** An open whose user seems to have ended. */
    @JsonProperty("staleOpen")
    STALE_OPEN("stale open"),
    /** A pin keeps the source of a copy, and no host reaches the copy's repository. */
    @JsonProperty("lostPin")
    LOST_PIN("lost pin"),
    /** An image is read through more layers than the limit. */
    @JsonProperty("longChain")
    LONG_CHAIN("long chain"),
    /** A file in a volume directory that Quarry did not make. */
    @JsonProperty("foreignFile")
    FOREIGN_FILE("foreign file"),
    /** A deep check found unused space in a volume's file; the space does no harm. */
    @JsonProperty("leakedSpace")
    LEAKED_SPACE("leaked space"),
    /** A deep check could not look at a volume. */
    @JsonProperty("notRead")
    NOT_READ("not read");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** The word that people read. */
    public String label() {
      return label;
    }
  }
}
