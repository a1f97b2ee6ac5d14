package io.quarry.coordinator.plan;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;

/**
 * What commit records consist of: one thing put in place or dropped. Applying changes needs no
 * decisions, so old records stay readable whatever the planner learns later.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "change")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Change.PutImage.class, name = "putImage"),
  @JsonSubTypes.Type(value = Change.DropImage.class, name = "dropImage"),
  @JsonSubTypes.Type(value = Change.PutVolume.class, name = "putVolume"),
  @JsonSubTypes.Type(value = Change.DropVolume.class, name = "dropVolume"),
  @JsonSubTypes.Type(value = Change.PutFix.class, name = "putFix"),
  @JsonSubTypes.Type(value = Change.DropFix.class, name = "dropFix"),
  @JsonSubTypes.Type(value = Change.PutPin.class, name = "putPin"),
  @JsonSubTypes.Type(value = Change.DropPin.class, name = "dropPin"),
  @JsonSubTypes.Type(value = Change.PutOpen.class, name = "putOpen"),
  @JsonSubTypes.Type(value = Change.DropOpen.class, name = "dropOpen"),
  @JsonSubTypes.Type(value = Change.PutFeature.class, name = Change.PUT_FEATURE),
  @JsonSubTypes.Type(value = Change.PutExtension.class, name = "putExtension"),
})
public sealed interface Change {
  /** How a record says that the log has a feature from then on. */
  String PUT_FEATURE = "putFeature";

  record PutImage(Image image) implements Change {}

  record DropImage(String id) implements Change {}

  record PutVolume(Volume volume) implements Change {}

  record DropVolume(String id) implements Change {}

  record PutFix(FixState fix) implements Change {}

  record DropFix(String id) implements Change {}

  record PutPin(Pin pin) implements Change {}

  record DropPin(String id) implements Change {}

  record PutOpen(Open open) implements Change {}

  record DropOpen(String id) implements Change {}

  /** Features stay: older agents must not read what was written since. */
  record PutFeature(Feature feature) implements Change {}

  /** It goes with its subject. */
  record PutExtension(Extension extension) implements Change {}
}
