#pragma once
// RaisedPriority: the calling thread runs before all others for a moment. Internal to weir/target.

namespace weir::target {

/// Takes the lowest real-time priority, else nice -20, else nothing: whatever the kernel grants.
/// lower() or the destructor gives it back; lower() may be called from a signal handler.
class RaisedPriority {
 public:
  explicit RaisedPriority(bool wanted);
  RaisedPriority(const RaisedPriority&) = delete;
  RaisedPriority& operator=(const RaisedPriority&) = delete;
  ~RaisedPriority() { lower(); }
  void lower();

 private:
  enum class How : unsigned char { none, real_time, nice };
  How how_ = How::none;
  int old_policy_ = 0;
  int old_value_ = 0;  ///< real-time priority, or nice value
};

}  // namespace weir::target
